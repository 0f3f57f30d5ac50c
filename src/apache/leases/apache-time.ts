import type { Seconds, UnixSeconds } from '../../domain/time.ts'

/** A time as Apache writes `%{TIME}`: 14 digits from the year to the second, on its own clock and in its own zone. */
export type ApacheTime = string

const SKEW: Seconds = 2

/** How far ahead a clock that goes back is in the way: summer time never takes back more. */
const AHEAD: Seconds = 2 * 3600

/**
 * Writes times as this Apache would, or gives `undefined` where that cannot be done safely.
 *
 * Its zone has to be ours: then the same seconds come once, but for the hours before a clock goes back, when nothing is
 * written. In those a lease of a dead Watchword would live again an hour later.
 *
 * @param shown what `%{TIME}` was when Apache asked.
 */
export function apacheTimes(shown: string, now: UnixSeconds): ((at: UnixSeconds) => ApacheTime) | undefined {
  const there = parse(shown)
  if (there === undefined || Math.abs(there - localSeconds(now)) > SKEW) return undefined
  // The longest lease is part of what lies ahead; a quarter of an hour is the least that zones differ by.
  for (let ahead = 0; ahead <= AHEAD; ahead += 900) {
    if (offsetAt(now + ahead) < offsetAt(now)) return undefined
  }
  return (at) => format(localSeconds(at))
}

/** Seconds by which our zone is ahead of UTC at an instant. */
const offsetAt = (at: UnixSeconds): Seconds => -60 * new Date(at * 1000).getTimezoneOffset()

/** The local time of an instant, as if it were UTC. */
const localSeconds = (at: UnixSeconds): number => at + offsetAt(at)

const format = (local: number): ApacheTime =>
  new Date(local * 1000).toISOString().replaceAll(/\D/g, '').slice(0, 14)

function parse(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text) ?? []
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : ms / 1000
}
