import { bareRecord, type SourceDevice, type SourceRecord } from '../domain/import-record.ts'
import { totpCode } from '../domain/otp/totp.ts'
import { pinHash } from '../domain/password/pin-hash.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { readLines } from './lines.ts'

/**
 * The people of the users file of Apache's `mod_authn_otp`, with their tokens.
 *
 * A PIN, the first characters of what is typed there and mostly four digits, is left out unless `pins`.
 * Mobile-OTP is another algorithm.
 *
 * @throws SourceError when the file cannot be read.
 */
export async function* readModAuthnOtp(
  file: string,
  { pins }: { readonly pins: boolean },
): AsyncGenerator<SourceRecord> {
  for await (const line of readLines(file)) {
    const sourceId = `line ${line.number}`
    if ('because' in line) {
      yield { kind: 'unreadable', sourceId, username: '', because: line.because }
      continue
    }
    if (/^\s*(?:#|$)/.test(line.text)) continue
    const [type = '', username = '', pin = '', key, counter = '0', ...history] = line.text.trim().split(/\s+/)
    if (key === undefined) {
      yield { kind: 'unreadable', sourceId, username: '', because: 'the line has fewer than four fields' }
      continue
    }
    const device = tokenOf({ type, key, counter, history })
    const passwordHash = pins && pin !== '-' && pin !== '+' ? pinHash(username, pin) : undefined
    yield {
      ...bareRecord(username, username),
      passwordHash,
      isPin: passwordHash !== undefined,
      devices: [device],
      notes: [...(passwordHash === undefined ? pinNotes(pin, pins) : []), ...lastCodeNotes(device, history)],
    }
  }
}

function pinNotes(pin: string, pins: boolean): string[] {
  if (pin === '-') return []
  if (pin === '+') return ['its password is in another file: import that one']
  return [pins ? 'PIN left out: it is too short or too long' : 'PIN left out: see --pins']
}

function lastCodeNotes(device: SourceDevice, history: readonly string[]): string[] {
  const isLost = device.kind === 'totp' && device.lastUsedStep === -1 && history.length > 1
  return isLost ? ['the code taken last was not found: set TZ to the time zone of that Apache'] : []
}

interface Token {
  readonly type: string
  readonly key: string
  readonly counter: string
  /** Failures, the last code, when it came and from where; older files have no failures. */
  readonly history: readonly string[]
}

function tokenOf({ type, key: hex, counter, history }: Token): SourceDevice {
  const unreadable = (because: string): SourceDevice => ({ kind: 'unreadable', sourceId: 'token', because })
  if (/^motp/i.test(type)) return unreadable('it is of Mobile-OTP')
  const found = /^(?:[Hh][Oo][Tt][Pp](?:\/(E|T\d{0,4}))?(?:\/(\d{1,2}))?|(E|T))$/.exec(type)
  if (found === null) return unreadable('its type is not known')
  if (!/^(?:[0-9a-f]{2}){1,128}$/i.test(hex)) return unreadable('its key is not hexadecimal')
  const moving = found[1] ?? found[3] ?? 'E'
  const isTotp = moving.startsWith('T')
  const offset = /^-?\d{1,15}$/.test(counter) ? Number(counter) : Number.NaN
  const key = Buffer.from(hex, 'hex')
  const digits = Number(found[2] ?? '6')
  const period = Number(moving.slice(1) || '30')
  return {
    kind: isTotp ? 'totp' : 'hotp',
    sourceId: 'token',
    name: 'Token',
    key,
    algorithm: 'sha1',
    digits,
    period: isTotp ? period : 30,
    t0: 0,
    drift: isTotp ? offset : 0,
    lastUsedStep: isTotp ? lastStep(key, { digits, period }, history) : -1,
    counter: isTotp ? 0 : offset,
    lastUsedAt: undefined,
  }
}

/** Steps either side of the time that was written down, in which the last code is looked for. */
const AROUND = 20

/** The time step of the last code that was taken, found by the code itself; -1 when there is none. */
function lastStep(
  key: Uint8Array,
  of: { digits: number; period: number },
  history: readonly string[],
): number {
  const [, code = '', at = ''] = /T/.test(history[1] ?? '') ? ['', ...history] : history
  const seconds = unixSeconds(at)
  if (seconds === undefined || (of.digits !== 6 && of.digits !== 8) || of.period === 0) return -1
  const middle = Math.floor(seconds / of.period)
  for (let step = middle + AROUND; step >= Math.max(0, middle - AROUND); step--) {
    if (totpCode(key, step, { algorithm: 'sha1', digits: of.digits }) === code) return step
  }
  return -1
}

/** What the module wrote as the time: Unix seconds where it was built without strptime (as on Windows), a date elsewhere. */
function unixSeconds(at: string): UnixSeconds | undefined {
  if (/^\d{1,11}$/.test(at)) return Number(at)
  const time = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(L|Z)$/.exec(at)
  if (time === null) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = time.slice(1, 7).map(Number)
  const ms =
    time[7] === 'Z'
      ? Date.UTC(year, month - 1, day, hour, minute, second)
      : new Date(year, month - 1, day, hour, minute, second).getTime()
  return Math.floor(ms / 1000)
}
