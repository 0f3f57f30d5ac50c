import type { AccessPolicy } from '../domain/access.ts'
import {
  CODE_WINDOWS_MAXIMUM,
  type CredentialHash,
  codeWindowLength,
  readingsOf,
} from '../domain/code-window.ts'
import { nextStep } from '../domain/login.ts'
import { isPasswordTooLong } from '../domain/password/policy.ts'
import type { Services } from '../services.ts'
import * as codeWindows from '../store/code-windows.ts'
import type { Db } from '../store/database.ts'
import * as users from '../store/users.ts'
import { standingOf } from './advance-login.ts'
import { type Caller, record } from './caller.ts'
import { checkPassword, settlePassword } from './check-password.ts'
import { type Attempt, droppedNotAwaited, type Proof, proveByDevice, weighProof } from './prove-by-device.ts'
import { holdBudgets } from './spend-attempt.ts'

/** A password and code in one field, which nobody showed before. */
export interface NewCredential {
  readonly username: string
  /** The password with the code right behind it. */
  readonly credential: string
  readonly credentialHash: CredentialHash
  readonly policy: AccessPolicy
  readonly host: string
  readonly caller: Caller
}

export type OpenCodeWindowOutcome =
  /** Now, or by another request a moment ago. */
  | { readonly kind: 'opened' }
  /** No six digits end it, so it is no password with a code; nothing was looked at. */
  | { readonly kind: 'no-code' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled' }
  /** Both are right, and something has to be done in a browser first: a second factor, or a new password. */
  | { readonly kind: 'incomplete' }
  /** No place in the hash queue: nothing was looked at, charged or spent. */
  | { readonly kind: 'busy' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'hasher' | 'sealer' | 'policy'>

/**
 * A sign-in by two factors in one field: charges as a sign-in does, spends the code, and opens a window in the same transaction.
 *
 * Recovery codes and the first code of an enrolment are not taken: who needs these has to see a page. Whoever gives up
 * waiting finds the window with the next request: what was spent here was not spent for nothing.
 */
async function openCodeWindow(services: Needed, credential: NewCredential): Promise<OpenCodeWindowOutcome> {
  const readings = readingsOf(credential.credential).filter(({ password }) => !isPasswordTooLong(password))
  const [first, ...others] = readings
  if (first === undefined) return { kind: 'no-code' }
  const now = services.now()
  const { username, caller } = credential
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const input = { username, password: first.password, otherReadings: others.map(({ password }) => password) }
  const check = await checkPassword(services, input, { caller, now, turn })
  if (check.kind !== 'right') return check
  const { user } = check
  const proof: Proof = {
    login: { userId: user.id, amr: ['pwd'], epoch: user.epoch },
    text: readings[check.reading]?.code ?? '',
    caller,
    now,
    password: {
      settle: (tx) => settlePassword(tx, check),
      hold: (tx) => holdBudgets(tx, check.budgets),
      // No count may tell that the password was right before the code is (SEC-AUTH-7).
      when: 'proven',
    },
  }
  return services.db.transaction().execute(async (tx): Promise<OpenCodeWindowOutcome> => {
    const outcome = await prove(tx, services, proof, credential)
    return outcome.kind === 'wrong-code' || outcome.kind === 'not-awaited' ? { kind: 'refused' } : outcome
  })
}

async function prove(tx: Db, services: Needed, proof: Proof, credential: NewCredential) {
  const weighed = await weighProof(tx, services, proof)
  if (weighed.kind !== 'weighed') return weighed
  const { attempt } = weighed
  const { user, devices, spent } = attempt
  const step = nextStep(proof.login.amr, standingOf(user, devices), services.policy.enrolment)
  // Nothing was ever enrolled, so there is no code to look at.
  if (step !== 'totp') {
    await droppedNotAwaited(tx, spent)
    return { kind: 'incomplete' } as const
  }
  return proveByDevice(tx, services, attempt, () => open(tx, services, attempt, credential))
}

async function open(
  tx: Db,
  services: Needed,
  { proof: { login, now, caller }, user, devices }: Attempt,
  { credentialHash, policy, host }: NewCredential,
): Promise<OpenCodeWindowOutcome> {
  const step = nextStep(['pwd', 'otp'], standingOf(user, devices), services.policy.enrolment)
  const isDone = step === 'done'
  const isCurrent = isDone
    ? await users.claimSignIn(tx, user.id, login.epoch, now)
    : await users.holdEpoch(tx, user.id, login.epoch)
  if (!isCurrent) return { kind: 'refused' }
  const id = services.newId()
  await codeWindows.insert(tx, {
    ...{ id, userId: user.id, credentialHash, policy: policy.name, host, address: caller.address },
    ...{ epoch: user.epoch, createdAt: now, expiresAt: now + codeWindowLength(policy) },
    // Over before it began, where a page is due first: the spent code is remembered all the same.
    endedAt: isDone ? undefined : now,
  })
  if (!isDone) return { kind: 'incomplete' }
  await codeWindows.endOverLimit(tx, user.id, { limit: CODE_WINDOWS_MAXIMUM, now })
  const event = { event: 'code-window-opened', codeWindowId: id, policy: policy.name } as const
  await record(services, tx, { now, by: caller, userId: user.id }, event)
  return { kind: 'opened' }
}

/** Whoever looked just before a window was there comes here when its opening is over: there is nothing to hash again. */
async function openUnlessThere(services: Needed, credential: NewCredential): Promise<OpenCodeWindowOutcome> {
  const there = await codeWindows.findByCredential(services.db, credential.credentialHash)
  return there === undefined ? openCodeWindow(services, credential) : { kind: 'opened' }
}

/** Openings under way in this process; the store alone decides who spends a code. */
const openings = new WeakMap<Services['hasher'], Map<CredentialHash, Promise<OpenCodeWindowOutcome>>>()

/**
 * As `openCodeWindow`, once for all requests that bring the same credential at the same moment, as programs do at their
 * start: one hash is computed and one attempt charged, and the others wait for what became of it.
 */
export async function openCodeWindowOnce(
  services: Needed,
  credential: NewCredential,
): Promise<OpenCodeWindowOutcome> {
  const underWay = openings.get(services.hasher) ?? new Map<CredentialHash, Promise<OpenCodeWindowOutcome>>()
  openings.set(services.hasher, underWay)
  const { credentialHash } = credential
  const opening =
    underWay.get(credentialHash) ??
    openUnlessThere(services, credential).finally(() => underWay.delete(credentialHash))
  underWay.set(credentialHash, opening)
  return opening
}
