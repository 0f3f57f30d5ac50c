import { needsRehash } from '../domain/password/hash-parameters.ts'
import { tellsWholePassword } from '../domain/password/old-hash.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import { hashToken } from '../domain/token.ts'
import { normalizeUsername } from '../domain/user.ts'
import type { HashTurn, Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import { syncLater } from '../store/sync-later.ts'
import * as users from '../store/users.ts'
import { passwordBudgets } from './budgets.ts'
import { type Caller, record } from './caller.ts'
import { type Budget, refundAttempt, settleAttempt, spendAttempt } from './spend-attempt.ts'

export type PasswordCheck =
  | {
      readonly kind: 'right'
      readonly user: users.UserWithPassword
      /** Which of the readings it was. */
      readonly reading: number
      readonly budgets: readonly Budget[]
    }
  /** Wrong, unknown or disabled: one answer, for one price (SEC-AUTH-6). */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly wait: Seconds; readonly budget: 'password' }

type Needed = Pick<Services, 'db' | 'newId' | 'hasher' | 'sealer' | 'policy'>

/**
 * Checks a username and a password: charges the attempt, then compares, outside of any transaction.
 *
 * The caller brings its place in the hash queue, because whoever is sent away unheard must not be charged, and
 * settles a right password with `settlePassword` in the transaction that follows from it.
 *
 * @param input.otherReadings what else the same text may mean. Each costs a hash, whatever the others gave and whoever is
 * named, so that the time tells nothing but what was sent (SEC-AUTH-6).
 */
export async function checkPassword(
  services: Needed,
  input: {
    readonly username: string
    readonly password: string
    readonly otherReadings?: readonly string[]
  },
  { caller, now, turn }: { readonly caller: Caller; readonly now: UnixSeconds; readonly turn: HashTurn },
): Promise<PasswordCheck> {
  const { db, hasher } = services
  const user = await users.findByUsername(db, input.username)
  const knownBrowser = await knownBrowserOf(db, user, caller, now)
  const budgets = passwordBudgets(services, { username: input.username, caller, knownBrowser })
  // On disk with what is answered: each way on ends in an ordinary transaction, which covers the charge.
  const spent = await syncLater(db, async (tx) => {
    const outcome = await spendAttempt(tx, budgets, now)
    if (outcome.kind === 'throttled') return outcome
    for (const wait of outcome.begun) {
      await record(
        services,
        tx,
        { now, by: caller, userId: user?.id, proven: false },
        { event: 'throttled', ...wait },
      )
    }
    return outcome
  })
  if (spent.kind === 'throttled') return { ...spent, budget: 'password' }

  // The queue was too slow: nobody is told anything of the password, and nothing is charged for it.
  const giveBack = async (error: unknown): Promise<never> => {
    await db.transaction().execute((tx) => refundAttempt(tx, spent.budgets))
    throw error
  }
  const decoy = user?.passwordHash === undefined ? await decoyFor(services, input.username) : undefined
  const readings = [input.password, ...(input.otherReadings ?? [])]
  let matched: number | undefined
  for (const [index, reading] of readings.entries()) {
    if (await turn.verify(user?.passwordHash, reading, decoy).catch(giveBack)) matched = index
  }
  if (user === undefined || matched === undefined || user.disabled) {
    await refuse(services, { user, username: input.username, caller, now })
    return { kind: 'refused' }
  }
  const stored = user.passwordHash
  // The same password at today's cost, when the stored hash is of another (SEC-PW-11). By itself: whoever changes
  // an account in one transaction takes hold of the user before the hash.
  const password = readings[matched] ?? ''
  if (
    stored !== undefined &&
    needsRehash(stored, hasher.parameters) &&
    tellsWholePassword(stored, password)
  ) {
    const hash = await turn.hash(password).catch(giveBack)
    await passwordHashes.upgrade(db, user.id, stored, hash)
  }
  return { kind: 'right', user, reading: matched, budgets: spent.budgets }
}

/**
 * The hash to work on for a name that has none: somebody's, and for one name always the same.
 *
 * An imported hash takes another time than ours until its user signs in. Names that are nobody's take such times as
 * often as names of users do, so the time does not tell which exist (SEC-AUTH-6).
 */
function decoyFor({ db, sealer }: Needed, username: string) {
  const digest = Buffer.from(sealer.keyedHash('decoy', normalizeUsername(username)), 'base64url')
  const place = (digest.readBigUInt64BE() >> 4n).toString(32).padStart(12, '0')
  return passwordHashes.findDecoy(db, place)
}

/** Settles what was charged for a right password. */
export async function settlePassword(
  tx: Db,
  check: Extract<PasswordCheck, { kind: 'right' }>,
): Promise<void> {
  await settleAttempt(tx, check.budgets)
}

async function knownBrowserOf(
  db: Db,
  user: users.UserWithPassword | undefined,
  caller: Caller,
  now: UnixSeconds,
) {
  if (caller.browserToken === undefined || user === undefined) return undefined
  const tokenHash = hashToken(caller.browserToken)
  return (await knownBrowsers.isKnown(db, tokenHash, user.id, now)) ? tokenHash : undefined
}

async function refuse(
  services: Needed,
  about: { user: users.UserWithPassword | undefined; username: string; caller: Caller; now: UnixSeconds },
): Promise<void> {
  const { user, caller, now } = about
  const reason = reasonOf(user)
  // A name that belongs to nobody is often a password in the wrong field (SEC-LOG-3).
  const named =
    user === undefined ? { nameHash: services.sealer.hashName(normalizeUsername(about.username)) } : {}
  await services.db
    .transaction()
    .execute((tx) =>
      record(
        services,
        tx,
        { now, by: caller, userId: user?.id, proven: false },
        { event: 'password-refused', reason, ...named },
      ),
    )
}

function reasonOf(user: users.UserWithPassword | undefined) {
  if (user === undefined) return 'unknown-user'
  if (user.disabled) return 'disabled'
  return user.passwordHash === undefined ? 'no-password' : 'wrong-password'
}
