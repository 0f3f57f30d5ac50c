import { publishedKeys } from '../domain/assertion.ts'
import { CODE_WINDOW_REMEMBERED } from '../domain/code-window.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import * as attempts from '../store/attempts.ts'
import * as auditLog from '../store/audit-log.ts'
import { dropMonths, makeMonths } from '../store/audit-months.ts'
import * as codeWindows from '../store/code-windows.ts'
import * as invitations from '../store/invitations.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as resetRequests from '../store/reset-requests.ts'
import * as sessions from '../store/sessions.ts'
import * as signingKeys from '../store/signing-keys.ts'
import * as tickets from '../store/tickets.ts'
import { CODE_PREFIX } from './budgets.ts'

/** How many rows went, by table; of the audit log also how many months as a whole. */
export type Purged = Readonly<
  Record<
    | 'logins'
    | 'sessions'
    | 'tickets'
    | 'enrolments'
    | 'invitations'
    | 'resetRequests'
    | 'browsers'
    | 'appPasswords'
    | 'signingKeys'
    | 'codeWindows'
    | 'attempts'
    | 'auditMonths'
    | 'events',
    number
  >
>

/** How long one that has ended is still shown to its owner, who may wonder why a program stopped working. */
const APP_PASSWORDS_KEPT = 30 * 24 * 3600

/** Longest time for which any rule still looks at charged attempts. */
const ATTEMPTS_KEPT = 2 * 24 * 3600

/**
 * Events go by the clock, and a clock may be years ahead for a while: so one purge takes no more than the oldest day of them.
 * Purges come often enough to catch up after a pause.
 */
const EVENTS_AT_ONCE = 24 * 3600

/** Rows removed at a time, so that a sign-in never waits long for its turn. */
const BATCH = 500

/** Removes what has ended. Nothing depends on it: whatever has ended is refused at use, purged or not (L-52). */
export async function purgeExpired({
  db,
  now: clock,
  policy,
}: Pick<Services, 'db' | 'now' | 'policy'>): Promise<Purged> {
  const now = clock()
  await makeMonths(db, now)
  const oldestEvent = (await auditLog.oldestAt(db)) ?? now
  const eventsBefore = Math.min(now - policy.auditRetention, oldestEvent + EVENTS_AT_ONCE)
  return {
    logins: await inBatches((limit) => logins.purge(db, now, limit)),
    sessions: await inBatches((limit) => sessions.purge(db, now, limit)),
    tickets: await inBatches((limit) => tickets.purge(db, now, limit)),
    enrolments: await inBatches((limit) => otpDevices.purgePending(db, now, limit)),
    invitations: await inBatches((limit) => invitations.purge(db, now, limit)),
    resetRequests: await inBatches((limit) => resetRequests.purge(db, now, limit)),
    browsers: await inBatches((limit) => knownBrowsers.purge(db, now, limit)),
    appPasswords: await inBatches((limit) => appPasswords.purge(db, now - APP_PASSWORDS_KEPT, limit)),
    signingKeys: await purgeSigningKeys(db, now),
    codeWindows: await inBatches((limit) => codeWindows.purge(db, now - CODE_WINDOW_REMEMBERED, limit)),
    attempts: await purgeAttempts(db, now - ATTEMPTS_KEPT),
    auditMonths: await dropMonths(db, eventsBefore),
    events: await inBatches((limit) => auditLog.purge(db, eventsBefore, limit)),
  }
}

async function inBatches(purge: (limit: number) => Promise<number>): Promise<number> {
  let removed = 0
  for (;;) {
    const count = await purge(BATCH)
    removed += count
    if (count < BATCH) return removed
  }
}

/** A key goes when nothing that it signed counts any more; the latest always stays. */
async function purgeSigningKeys(db: Services['db'], now: UnixSeconds): Promise<number> {
  const [oldest] = publishedKeys(await signingKeys.list(db), now)
  return oldest === undefined ? 0 : signingKeys.removeBefore(db, oldest.generation)
}

/** Walks over the whole table by its key; an index by time would be written at each attempt for this alone. */
async function purgeAttempts(db: Services['db'], before: UnixSeconds): Promise<number> {
  let removed = 0
  for (let after = ''; ; ) {
    const batch = await attempts.list(db, after, BATCH)
    const stale = batch.filter(({ key, since, blockedUntil }) => {
      return !key.startsWith(CODE_PREFIX) && since < before && blockedUntil < before
    })
    for (const row of stale) if (await attempts.removeUnchanged(db, row)) removed++
    const last = batch.at(-1)
    if (last === undefined) return removed
    after = last.key
  }
}
