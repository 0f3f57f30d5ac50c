import { parseRecoveryCode } from '../domain/otp/recovery-code.ts'
import type { Services } from '../services.ts'
import type { Caller } from './caller.ts'
import { checkPassword, settlePassword } from './check-password.ts'
import { type ProofOutcome, type ProofServices, proveSecondFactor } from './prove-second-factor.ts'
import { holdBudgets } from './spend-attempt.ts'

export type AuthenticateOutcome = ProofOutcome | { readonly kind: 'refused' }

/**
 * Username, password and code at once: the two steps of a login in a row, without a login stored between them.
 *
 * Nothing is said of the code unless the password was right (SEC-OTP-7).
 */
export async function authenticate(
  services: ProofServices & Pick<Services, 'now'>,
  input: {
    readonly username: string
    readonly password: string
    readonly code: string
    /** Whether nobody may learn that the password was right before the code is, not even by counting tries. */
    readonly uniform: boolean
  },
  caller: Caller,
): Promise<AuthenticateOutcome> {
  const now = services.now()
  using turn = services.hasher.enter()
  if (turn === undefined) return { kind: 'busy' }
  const check = await checkPassword(services, input, { caller, now, turn })
  if (check.kind === 'refused' && input.uniform && parseRecoveryCode(input.code) !== undefined) {
    // A recovery code costs a hash more once the password was right: so it does when it was wrong.
    await turn.verify(undefined, input.code)
  }
  if (check.kind !== 'right') return check
  const { user } = check
  return proveSecondFactor(services, {
    login: { userId: user.id, amr: ['pwd'], epoch: user.epoch },
    text: input.code,
    caller,
    now,
    turn,
    password: {
      settle: (tx) => settlePassword(tx, check),
      hold: (tx) => holdBudgets(tx, check.budgets),
      when: input.uniform ? 'proven' : 'always',
    },
  })
}
