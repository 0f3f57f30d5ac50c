import type { SessionWithUser } from '../../domain/session.ts'
import type { Edge } from '../endpoint.ts'

/** Whether a session may open the administration: not at all, not without a fresh proof, or yes (SEC-AZ-6). */
export async function mayEnterAdmin(
  _edge: Edge,
  { user }: SessionWithUser,
): Promise<'no' | 'locked' | 'yes'> {
  return user.isSuperuser ? 'yes' : 'no'
}
