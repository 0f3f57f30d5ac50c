import { isVerified } from '../domain/login.ts'
import { formatRecoveryCode, RECOVERY_CODE_COUNT, recoveryCodeFrom } from '../domain/otp/recovery-code.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { SessionWithUser } from '../domain/session.ts'
import { isFresh } from '../domain/session.ts'
import type { Services } from '../services.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as sessions from '../store/sessions.ts'
import { type Caller, record } from './caller.ts'
import { holdFactors } from './hold-factors.ts'

export type MakeRecoveryCodesOutcome =
  /** Shown once, now, and never again. */
  | { readonly kind: 'made'; readonly codes: readonly string[] }
  | { readonly kind: 'stale' }
  | { readonly kind: 'busy' }

/** Makes a set of recovery codes; the old set dies. Needs a fresh session of two factors (SEC-REC-6). */
export async function makeRecoveryCodes(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'entropy' | 'hasher' | 'policy'>,
  { session, user }: SessionWithUser,
  caller: Caller,
): Promise<MakeRecoveryCodesOutcome> {
  const now = services.now()
  if (!isVerified(session.amr) || !isFresh(session, user, services.policy.session, now))
    return { kind: 'stale' }
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const codes = Array.from({ length: RECOVERY_CODE_COUNT }, (_, index) =>
    recoveryCodeFrom(index, services.entropy(10)),
  )
  const hashes: PasswordHash[] = []
  // One after another, so that a set takes one place in the queue and not ten.
  for (const { secret } of codes) hashes.push(await turn.hash(secret))
  return services.db.transaction().execute(async (tx): Promise<MakeRecoveryCodesOutcome> => {
    const current = await holdFactors(tx, user.id)
    const isSuperseded = current?.epoch !== user.epoch || !(await sessions.exists(tx, session.id))
    // Whoever reset the factors, or ended what was open, must not find the codes of somebody else afterwards.
    if (isSuperseded) return { kind: 'stale' }
    await recoveryCodes.replaceAll(tx, user.id, hashes, { now, expiresAt: null })
    await record(
      services,
      tx,
      { now, by: caller, userId: user.id },
      { event: 'recovery-codes-made', count: codes.length },
    )
    return { kind: 'made', codes: codes.map(formatRecoveryCode) }
  })
}
