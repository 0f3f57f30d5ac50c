import type { UnixSeconds } from '../domain/time.ts'

/** A text; `undefined` for anything else, also for one with bytes that are no UTF-8. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && !value.includes('\uFFFD') ? value : undefined
}

/** A whole number that a number can hold; `NaN`, which is in no range, for anything else. */
export function numberOf(value: unknown): number {
  const text = typeof value === 'bigint' ? String(value) : value
  if (typeof text !== 'string' || !/^-?[0-9]{1,16}$/.test(text)) return Number.NaN
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : Number.NaN
}

/** A flag as SQLite and PostgreSQL write it; `undefined` for anything else. */
export function flagOf(value: unknown): boolean | undefined {
  if (value === 1n || value === 't') return true
  return value === 0n || value === 'f' ? false : undefined
}

/** An instant as Django keeps it, `2026-01-31 12:34:56.789` in UTC; `undefined` for anything else. */
export function instantOf(value: unknown): UnixSeconds | undefined {
  const parts = typeof value === 'string' ? instant.exec(value) : null
  if (parts === null) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  const at = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
  return Number.isFinite(at) ? at : undefined
}

const instant = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:\+00(?::00)?|Z)?$/
