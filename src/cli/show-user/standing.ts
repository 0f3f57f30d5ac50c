import type { Waits } from '../../actions/look-up-waits.ts'
import type { Session } from '../../domain/session.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { ShownUser } from '../../store/views/show-user.ts'

/** A user as `user show` tells of them: with the sessions that still hold, and the waits in force. */
export interface Standing {
  readonly user: Omit<ShownUser, 'sessions'> & {
    readonly sessions: readonly (Session & { readonly endsAt: UnixSeconds })[]
  }
  readonly waits: Waits
}
