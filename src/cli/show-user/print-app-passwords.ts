import type { AppPassword } from '../../domain/app-password.ts'
import { isoInstant, showInstant } from '../instant.ts'
import { printTable } from '../terminal.ts'

/** Prints app passwords for a person, never their secrets. */
export function printAppPasswords(owned: readonly AppPassword[]): void {
  printTable(
    ['NAME', 'OPENS', 'MADE', 'ENDS', 'LAST USED', 'ADDRESS', 'IDENTIFIER'],
    owned.map((each) => [
      each.name,
      each.policies.join(' '),
      showInstant(each.createdAt),
      showInstant(each.expiresAt),
      showInstant(each.lastUsedAt),
      each.lastUsedAddress ?? '',
      each.id,
    ]),
  )
}

/** An app password for a program, without its secret. */
export const appPasswordAsJson = (owned: AppPassword) => ({
  id: owned.id,
  name: owned.name,
  policies: owned.policies,
  created_at: isoInstant(owned.createdAt),
  expires_at: orNull(owned.expiresAt),
  last_used_at: orNull(owned.lastUsedAt),
  last_used_address: owned.lastUsedAddress ?? null,
})

const orNull = (at: number | undefined) => (at === undefined ? null : isoInstant(at))
