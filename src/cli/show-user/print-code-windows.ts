import type { CodeWindow } from '../../domain/code-window.ts'
import { isoInstant, showInstant } from '../instant.ts'
import { printTable } from '../terminal.ts'

/** Prints for a person what a password and code in one field opens to programs. */
export function printCodeWindows(open: readonly CodeWindow[]): void {
  printTable(
    ['HOST', 'OPENS', 'ADDRESS', 'SINCE', 'ENDS', 'LAST USED', 'IDENTIFIER'],
    open.map((each) => [
      each.host,
      each.policy,
      each.address,
      showInstant(each.createdAt),
      showInstant(each.expiresAt),
      showInstant(each.lastUsedAt),
      each.id,
    ]),
  )
}

/** The same for a program. */
export const codeWindowAsJson = (window: CodeWindow) => ({
  id: window.id,
  policy: window.policy,
  host: window.host,
  address: window.address,
  created_at: isoInstant(window.createdAt),
  expires_at: isoInstant(window.expiresAt),
  last_used_at: isoInstant(window.lastUsedAt),
})
