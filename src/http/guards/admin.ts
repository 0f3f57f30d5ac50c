import { enterAdmin } from '../../actions/enter-admin.ts'
import type { SessionWithUser } from '../../domain/session.ts'
import type { Services } from '../../services.ts'
import { type Answer, failure, notSignedIn, stale } from '../answer.ts'

/** Lets nobody look at administration but a superuser of two factors, while it is open; changes ask for more. */
export async function refuseUnlessAdmin(
  { services }: { readonly services: Services },
  { session, isUse }: { readonly session: SessionWithUser | undefined; readonly isUse: boolean },
): Promise<Answer | undefined> {
  if (session === undefined) return notSignedIn()
  const outcome = await enterAdmin(services, session, isUse)
  switch (outcome.kind) {
    case 'open':
      return undefined
    case 'not-admin':
      return adminRequired()
    case 'locked':
      return stale()
  }
}

/** Signed in, and not somebody who administers. */
export const adminRequired = (): Answer =>
  failure(403, 'admin_required', 'This is for administrators who signed in with a password and a code.')
