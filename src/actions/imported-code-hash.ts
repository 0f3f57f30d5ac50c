import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'

/**
 * The form in which an imported one-time code is stored: a keyed hash over user and code.
 *
 * Other programs' codes have some 40 bits. Argon2id would hold a copy of the database off for months and cost an
 * import of a million codes hours; the key, which is not in the database, holds it off for good and costs nothing.
 */
export function importedCodeHash(
  { sealer }: Pick<Services, 'sealer'>,
  userId: UserId,
  canonicalCode: string,
): PasswordHash {
  return `hmac$${sealer.keyedHash('imported-code', `${userId}:${canonicalCode}`)}` as PasswordHash // A hash of its own kind.
}
