import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { PasswordLists } from '../domain/password/policy.ts'

/** Opens the lists of known passwords; both work without a network (SEC-PW-5). */
export function openPasswordLists(breachedHashes: string | undefined): PasswordLists {
  return {
    isCommon: (password) => commonPasswords().has(password),
    isBreached: (password) => breachedHashes !== undefined && isInHashFile(breachedHashes, password),
  }
}

let common: ReadonlySet<string> | undefined

/** Read on first use, because it costs 20 MB and only choosing a password needs it. */
function commonPasswords(): ReadonlySet<string> {
  if (common === undefined) {
    const list: typeof import('@zxcvbn-ts/language-common') = createRequire(import.meta.url)(
      '@zxcvbn-ts/language-common',
    )
    common = new Set(list.dictionary['passwords-common'].map(String))
  }
  return common
}

const LINE_MAXIMUM = 128

/**
 * Looks a password up in a file of SHA-1 hashes in hexadecimal, sorted, one a line, each perhaps followed by
 * `:count`, as such lists are distributed. Binary search, so that a list of many gigabytes costs some forty reads.
 */
function isInHashFile(path: string, password: string): boolean {
  const wanted = createHash('sha1').update(password).digest('hex').toUpperCase()
  const file = openSync(path, 'r')
  try {
    let low = 0
    let high = fstatSync(file).size
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const line = lineAfter(file, middle, high)
      if (line === undefined || line.start >= high) {
        high = middle
        continue
      }
      const found = line.text.slice(0, 40).toUpperCase()
      if (found === wanted) return true
      if (found < wanted) low = line.end
      else high = middle
    }
    return lineAfter(file, low, Number.MAX_SAFE_INTEGER)?.text.slice(0, 40).toUpperCase() === wanted
  } finally {
    closeSync(file)
  }
}

/** The first whole line that begins at or after `offset`. */
function lineAfter(
  file: number,
  offset: number,
  before: number,
): { text: string; start: number; end: number } | undefined {
  const from = offset === 0 ? 0 : offset - 1
  const buffer = Buffer.alloc(2 * LINE_MAXIMUM)
  const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, from))
  const begin = offset === 0 ? 0 : text.indexOf('\n') + 1
  if (offset !== 0 && begin === 0) return undefined
  const rest = text.slice(begin)
  if (rest.length === 0 || from + begin >= before) return undefined
  const end = rest.indexOf('\n')
  const line = end < 0 ? rest : rest.slice(0, end)
  return { text: line.trimEnd(), start: from + begin, end: from + begin + line.length + 1 }
}
