import type { UnixSeconds } from '../domain/time.ts'
import { UsageError } from './exit-code.ts'

const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

const isoDate = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?<zone>Z|[+-]\d{2}:\d{2})?)?$/i

/** Reads `24h` as that long ago, or a date and time of ISO 8601, which is UTC unless it says otherwise. */
export function parseInstant(text: string, now: UnixSeconds = Math.floor(Date.now() / 1000)): UnixSeconds {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * units[unit as keyof typeof units]
  const iso = isoDate.exec(text)
  // A date alone is UTC to JavaScript already; with a time but without a zone it would be local.
  const zone = iso?.groups?.zone === undefined && text.length > 10 ? 'Z' : ''
  const ms = iso === null ? Number.NaN : Date.parse(`${text.replace(' ', 'T')}${zone}`)
  if (Number.isNaN(ms)) {
    throw new UsageError(
      `"${text}" is no time. Write how long ago, such as 90s, 15m, 24h, 7d or 2w, or a time such as 2026-07-29T12:00:00Z.`,
    )
  }
  return Math.floor(ms / 1000)
}

/** An instant as programs read it: ISO 8601 in UTC. */
export function isoInstant(at: UnixSeconds): string {
  // Beyond what a date can be the number itself is shown, so that one odd row does not hide the others.
  return Math.abs(at) > 8.64e12 ? String(at) : new Date(at * 1000).toISOString().replace('.000Z', 'Z')
}

/** An instant as people read it, in UTC; `never` when there is none. */
export function showInstant(at: UnixSeconds | undefined): string {
  return at === undefined ? 'never' : isoInstant(at).replace('T', ' ')
}
