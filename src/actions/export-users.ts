import { uriOfToken } from '../domain/otp/otpauth-uri.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { OtpDevice } from '../store/otp-devices.ts'
import { listUsersToExport, type UserToExport } from '../store/views/export-users.ts'
import type { Operator } from './caller.ts'
import { noteCopy } from './note-copy.ts'

/** A user as they leave, with what an authenticator of theirs reads, sealed, where it was asked for. */
export interface ExportedUser extends Omit<UserToExport, 'devices'> {
  readonly devices: readonly (OtpDevice & { readonly sealedUri: string | undefined })[]
}

export interface ExportRequest {
  readonly format: 'jsonl' | 'htpasswd'
  /** Seals the key URI of each device; without it no secret leaves. */
  readonly seal?: ((text: string) => string) | undefined
}

/** Read at once; a part of the users is held in memory and never all. */
const BATCH = 500

/**
 * Gives every user to `take`, some at a time, after writing into the audit log that they are taken.
 *
 * Throws `SealError` when a secret was asked for and does not open.
 */
export async function exportUsers(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'sealer' | 'policy'>,
  { format, seal }: ExportRequest,
  by: Operator,
  take: (users: readonly ExportedUser[]) => Promise<void>,
): Promise<void> {
  await noteCopy(services, { event: 'users-exported', format, withSecrets: seal !== undefined }, by)
  for (let after: UserId | undefined; ; ) {
    const users = await listUsersToExport(services.db, { after, limit: BATCH })
    after = users.at(-1)?.id
    if (after === undefined) return
    await take(
      users.map((user) => ({
        ...user,
        devices: user.devices.map((device) => ({
          ...device,
          sealedUri: seal?.(uriOf(services, user.username, device)),
        })),
      })),
    )
  }
}

/** Whose it is stands in the URI, so that one sealed text cannot be put in the place of another unnoticed. */
function uriOf(
  { sealer, policy: { issuer } }: Pick<Services, 'sealer' | 'policy'>,
  account: string,
  { id, userId, sealedKey, kind, algorithm, digits, period, counter }: OtpDevice,
): string {
  const key = sealer.open(sealedKey, { purpose: 'otp-key', userId, deviceId: id })
  const common = { issuer, account, key, algorithm, digits }
  return uriOfToken(kind === 'totp' ? { kind, ...common, period } : { kind, ...common, counter })
}
