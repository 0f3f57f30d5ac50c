import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import type { Caller } from './caller.ts'
import { type ProofOutcome, type ProofServices, proveSecondFactor } from './prove-second-factor.ts'

/** The second step of a login: a code, a recovery code, or the first code of an enrolment. */
export async function submitCode(
  services: ProofServices & Pick<Services, 'now'>,
  input: { readonly loginToken: Token; readonly code: string },
  caller: Caller,
): Promise<ProofOutcome> {
  const now = services.now()
  const login = await logins.findByToken(services.db, hashToken(input.loginToken), now)
  if (login === undefined) return { kind: 'not-awaited' }
  return proveSecondFactor(services, { login, text: input.code, caller, now })
}
