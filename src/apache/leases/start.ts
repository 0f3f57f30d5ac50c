import type { UserId } from '../../domain/user.ts'
import type { AuthorizerHandler } from '../fastcgi/connection.ts'
import { joinLeaseFolder, openLeaseFolder, revokeLeases } from './folder.ts'
import { createLeases } from './grant.ts'

export interface LeaseStart {
  /** Where leases are; without one Apache asks each time. */
  readonly directory: string | undefined
  /** How many processes lease there; 1 unless given. Where there are several, another one opened it. */
  readonly sharers?: number
  /** By which Apache shows that it is the one who asks. */
  readonly secret: string
  readonly now: () => number
  readonly newId: () => string
  /** Tells of what other nodes revoked, from now until what it gives is called. */
  readonly listen: (listener: {
    connected(): void
    revoked(userId: UserId): void
    lost(): void
  }) => () => Promise<void>
  readonly failed: (error: unknown) => void
}

/**
 * The handler, which leases while it is sure to learn of every revocation.
 *
 * @throws LeaseFolderError where the folder cannot be trusted.
 */
export function startLeases(
  decide: AuthorizerHandler,
  { directory, sharers = 1, secret, now, newId, listen, failed }: LeaseStart,
): { readonly handle: AuthorizerHandler; stop(): Promise<void> } {
  if (directory === undefined) return { handle: decide, stop: async () => {} }
  const folder = sharers === 1 ? openLeaseFolder(directory, newId) : joinLeaseFolder(directory, newId)
  const leases = createLeases(decide, { folder, sharers, secret, now, failed })
  const stopListening = listen({
    connected: () => leases.permit(true),
    lost: () => leases.permit(false),
    revoked(userId) {
      try {
        revokeLeases(directory, [userId], newId)
      } catch (error) {
        failed(error)
        leases.permit(false)
      }
    },
  })
  return {
    handle: leases.handle,
    async stop() {
      leases.stop()
      await stopListening()
    },
  }
}
