import type { Advanced, SignedIn } from '../../actions/advance-login.ts'
import type { ProofOutcome } from '../../actions/prove-second-factor.ts'
import type { Renewed } from '../../actions/renew-session.ts'
import { StorageFault, UncertainCommit } from '../../domain/faults.ts'
import { isVerified } from '../../domain/login.ts'
import { expiryOf, type SessionWithUser } from '../../domain/session.ts'
import type { UserId } from '../../domain/user.ts'
import { groupsOf } from '../../store/views/groups-of.ts'
import { type Answer, busy, failure, invalidCredentials, notSignedIn, ok, throttled } from '../answer.ts'
import type { Edge } from '../endpoint.ts'

/** Who is signed in and since when, as `GET /auth/session/` and every sign-in tell it. */
export function sessionFields({ services }: Edge, { session, user, groups }: SessionWithUser) {
  return {
    user: {
      id: user.id,
      username: user.username,
      display_name: user.displayName,
      is_superuser: user.isSuperuser,
      groups,
    },
    amr: session.amr,
    verified: isVerified(session.amr),
    auth_time: session.authTime,
    expires_at: expiryOf(session, services.policy.session),
  }
}

/** A step of a login was taken: either a session begins, or the next step is named. */
export async function advancedAnswer(
  edge: Edge,
  outcome: Exclude<Advanced, { kind: 'not-awaited' }>,
  message: string,
): Promise<Answer> {
  edge.metrics.signIn(outcome.kind === 'signed-in' ? 'signed-in' : 'continued')
  if (outcome.kind === 'continue') {
    return ok({ message: prompt(outcome.step), next: outcome.step }, [
      edge.cookies.set('login', outcome.loginToken),
    ])
  }
  const { recoveryCodesLeft, user } = outcome
  const groups = await groupsAfter(edge, user.id)
  const left = recoveryCodesLeft === undefined ? {} : { recovery_codes_left: recoveryCodesLeft }
  return ok(
    { message, next: 'done', ...sessionFields(edge, { ...outcome, groups }), ...left },
    sessionCookies(edge, outcome),
  )
}

/** What is told beside a session that is stored already: whoever is not told of it must not hear that nothing was changed. */
async function groupsAfter({ services }: Edge, userId: UserId): Promise<string[]> {
  try {
    return await groupsOf(services.db, userId)
  } catch (cause) {
    if (cause instanceof StorageFault) throw new UncertainCommit(cause.message, { cause })
    throw cause
  }
}

/** The cookies of a session that begins. */
export function sessionCookies({ cookies }: Edge, { sessionToken, browserToken }: SignedIn): string[] {
  const set = [cookies.set('session', sessionToken), cookies.clear('login')]
  return browserToken === undefined ? set : [...set, cookies.set('browser', browserToken)]
}

/** The session goes on under a new token. */
export async function renewedAnswer(edge: Edge, outcome: Renewed, message: string): Promise<Answer> {
  const groups = await groupsAfter(edge, outcome.user.id)
  const fields = sessionFields(edge, { ...outcome, groups })
  return ok({ message, ...fields }, [
    edge.cookies.set('session', outcome.sessionToken),
    edge.cookies.clear('login'),
  ])
}

function prompt(step: 'totp' | 'enrol-totp' | 'new-password'): string {
  switch (step) {
    case 'totp':
      return 'One step is left: send a one-time code to POST /auth/verify/.'
    case 'enrol-totp':
      return 'A one-time code must be set up first: POST /auth/register-secret/, then a code to POST /auth/verify/.'
    case 'new-password':
      return 'The password must be replaced: send new_password to POST /auth/password/.'
  }
}

/** A code was given, alone or together with a password. */
export async function proofAnswer(edge: Edge, outcome: ProofOutcome): Promise<Answer> {
  switch (outcome.kind) {
    case 'signed-in':
    case 'continue':
      return advancedAnswer(edge, outcome, 'Authentication successful')
    case 'not-awaited':
      return notSignedIn()
    case 'wrong-code':
      edge.metrics.signIn('wrong-code')
      return edge.uniformErrors ? invalidCredentials() : failure(400, 'invalid_otp', 'Invalid OTP')
    case 'enrolment-required':
      edge.metrics.signIn('enrolment-required')
      return edge.uniformErrors ? invalidCredentials() : enrolmentRequired()
    case 'throttled':
      edge.metrics.signIn('throttled')
      // Only the code's wait would tell that the password was right.
      return edge.uniformErrors && outcome.budget === 'code' ? invalidCredentials() : throttled(outcome.wait)
    case 'busy':
      edge.metrics.signIn('busy')
      return busy()
  }
}

const enrolmentRequired = () =>
  failure(
    403,
    'enrolment_required',
    'No one-time code is set up yet. Log in with POST /auth/login/ and begin with POST /auth/register-secret/.',
  )
