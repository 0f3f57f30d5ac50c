import {
  type AuthenticationMethod,
  isVerified,
  type Login,
  type LoginStep,
  nextStep,
} from '../domain/login.ts'
import type { Session } from '../domain/session.ts'
import type { Seconds, UnixSeconds } from '../domain/time.ts'
import { hashToken, type Token, type TokenHash } from '../domain/token.ts'
import type { User } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as appPasswords from '../store/app-passwords.ts'
import * as codeWindows from '../store/code-windows.ts'
import type { Db } from '../store/database.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import type { OtpDevice } from '../store/otp-devices.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import { type Caller, record } from './caller.ts'

/** A token for the browser and how long the server will honour it. */
export interface Issued {
  readonly token: Token
  readonly lifetime: Seconds
}

export interface SignedIn {
  readonly kind: 'signed-in'
  readonly user: User
  readonly session: Session
  readonly sessionToken: Issued
  /** Given after a sign-in with two factors; marks the browser as known (SEC-RATE-5). */
  readonly browserToken: Issued | undefined
  /** After a recovery code was used: how many are left (SEC-REC-5). */
  readonly recoveryCodesLeft: number | undefined
}

export type Advanced =
  | SignedIn
  | { readonly kind: 'continue'; readonly step: Exclude<LoginStep, 'done'>; readonly loginToken: Issued }
  /** The login is over, or what it stands on changed: begin again. */
  | { readonly kind: 'not-awaited' }

/** A login at the moment something was proven: stored already, or only in the hands of this request. */
export interface LoginUnderWay extends Login {
  readonly tokenHash?: TokenHash
}

/** Browsers that are known of one user; a program that keeps no cookies makes a new one each time. */
const BROWSERS_MAXIMUM = 100

type Needed = Pick<Services, 'newId' | 'newToken' | 'policy'>

/** What `nextStep` must know, from the user and the confirmed devices as they are now. */
export function standingOf(user: User, devices: readonly OtpDevice[]) {
  return { ...user, hasUsableDevice: devices.some(({ disabled }) => !disabled) }
}

/**
 * Moves a login on after a factor was proven, in the transaction that proved it: to a session when nothing is
 * missing, else to the next step under a new token.
 */
export async function advanceLogin(
  tx: Db,
  services: Needed,
  login: LoginUnderWay,
  {
    user,
    devices,
    caller,
    now,
  }: { user: User; devices: readonly OtpDevice[]; caller: Caller; now: UnixSeconds },
): Promise<Advanced> {
  const { policy } = services
  const step = nextStep(login.amr, standingOf(user, devices), policy.enrolment)
  const isCurrent =
    step === 'done'
      ? await users.claimSignIn(tx, user.id, login.epoch, now)
      : await users.holdEpoch(tx, user.id, login.epoch)
  if (!isCurrent) return { kind: 'not-awaited' }
  if (login.tokenHash !== undefined && !(await logins.take(tx, login.tokenHash)))
    return { kind: 'not-awaited' }

  if (step === 'done') return signIn(tx, services, user, { amr: login.amr, caller, now })

  const token = services.newToken()
  const lifetime = policy.loginLifetime
  await logins.insert(tx, { ...login, tokenHash: hashToken(token) }, { now, expiresAt: now + lifetime })
  return { kind: 'continue', step, loginToken: { token, lifetime } }
}

/** Starts a session under a new token; the one it replaces in this browser ends (SEC-SES-3). */
async function signIn(
  tx: Db,
  services: Needed,
  user: User,
  { amr, caller, now }: { amr: readonly AuthenticationMethod[]; caller: Caller; now: UnixSeconds },
): Promise<SignedIn> {
  const { policy } = services
  const usedRecovery = amr.includes('recovery')
  if (caller.sessionToken !== undefined) await sessions.takeByToken(tx, hashToken(caller.sessionToken))
  // Whoever needs a recovery code may have lost a phone or a whole bag: what was open elsewhere ends (SEC-REC-9).
  if (usedRecovery) {
    await sessions.removeAll(tx, user.id)
    await knownBrowsers.removeAll(tx, user.id)
    await appPasswords.removeAll(tx, user.id)
    await codeWindows.endAll(tx, user.id, now)
  }

  const started = await startSession(tx, services, user, { amr, authTime: now, caller, now })
  const over = await sessions.removeOverLimit(tx, user.id, policy.session.limit)
  const context = { now, by: caller, userId: user.id }
  for (const sessionId of over) {
    await record(services, tx, context, { event: 'session-ended', sessionId, reason: 'over-limit' })
  }
  const browserToken = isVerified(amr)
    ? await rememberBrowser(tx, services, user, { caller, usedRecovery, now })
    : undefined
  await record(services, tx, context, { event: 'signed-in', amr, sessionId: started.session.id })
  return {
    kind: 'signed-in',
    user,
    ...started,
    browserToken,
    recoveryCodesLeft: usedRecovery ? await recoveryCodes.countLeft(tx, user.id, now) : undefined,
  }
}

/** Stores a session with a token of its own; an absolute end may be carried over from the session it follows. */
export async function startSession(
  tx: Db,
  services: Needed,
  user: Pick<User, 'id'>,
  input: {
    readonly amr: readonly AuthenticationMethod[]
    readonly authTime: UnixSeconds
    readonly expiresAt?: UnixSeconds
    readonly caller: Caller
    readonly now: UnixSeconds
  },
): Promise<{ readonly session: Session; readonly sessionToken: Issued }> {
  const { amr, authTime, caller, now } = input
  const token = services.newToken()
  const session: Session = {
    id: services.newId(),
    userId: user.id,
    amr,
    authTime,
    createdAt: now,
    lastSeenAt: now,
    expiresAt: input.expiresAt ?? now + services.policy.session.absoluteLifetime,
    address: caller.address,
    userAgent: caller.userAgent,
  }
  await sessions.insert(tx, { ...session, tokenHash: hashToken(token) })
  return { session, sessionToken: { token, lifetime: session.expiresAt - now } }
}

async function rememberBrowser(
  tx: Db,
  services: Needed,
  user: User,
  { caller, usedRecovery, now }: { caller: Caller; usedRecovery: boolean; now: UnixSeconds },
): Promise<Issued> {
  const lifetime = services.policy.session.browserLifetime
  const carried = caller.browserToken
  const isTheirs =
    carried !== undefined &&
    !usedRecovery &&
    (await knownBrowsers.isKnown(tx, hashToken(carried), user.id, now))
  // A cookie that this server did not give to this user is never taken over (SEC-SES-3).
  const token = isTheirs ? carried : services.newToken()
  if (!isTheirs) await knownBrowsers.removeOverLimit(tx, user.id, BROWSERS_MAXIMUM - 1)
  await knownBrowsers.put(
    tx,
    { tokenHash: hashToken(token), userId: user.id },
    { now, expiresAt: now + lifetime },
  )
  return { token, lifetime }
}
