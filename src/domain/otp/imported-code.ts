import { withoutSeparators } from './code.ts'

/**
 * Reads a one-time code that another program made and this one took over, as people type it: either case, ASCII
 * spaces and hyphens anywhere.
 *
 * 8 to 16 ASCII letters and digits with a letter among them, or 8 digits. No text is both this and a recovery code of ours,
 * which has 17 characters; 8 digits may also be a code of an authenticator, so both are looked for.
 *
 * @returns the canonical code in lower case, or `undefined` for any other text.
 */
export function parseImportedCode(text: string): string | undefined {
  const compact = withoutSeparators(text)
  return /^(?:(?=.*[A-Za-z])[0-9A-Za-z]{8,16}|[0-9]{8})$/.test(compact) ? compact.toLowerCase() : undefined
}
