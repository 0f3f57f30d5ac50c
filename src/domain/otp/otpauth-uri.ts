import { decodeBase32, encodeBase32 } from './base32.ts'
import type { OtpAlgorithm, OtpParameters } from './hotp.ts'

/** What a key URI says: the content of an enrolment QR code (security.md section 4, SEC-OTP-16). */
export type OtpauthUri = TotpUri | HotpUri

interface KeyUri extends OtpParameters {
  /** Who the account is with; empty when the URI names nobody. */
  readonly issuer: string
  readonly account: string
  /** The shared secret, 1 byte or more. Whether it is long enough is for the caller to judge. */
  readonly key: Uint8Array
}

/** Key URI of an authenticator app. */
export interface TotpUri extends KeyUri {
  readonly kind: 'totp'
  /** Seconds, 10 to 300. */
  readonly period: number
}

/** Key URI of a counter token. */
export interface HotpUri extends KeyUri {
  readonly kind: 'hotp'
  /** The next counter, 0 to 2^53-1. */
  readonly counter: number
}

/**
 * The `otpauth:` URI to put in a QR code. It contains the key: never log it, never make it a link to follow.
 *
 * Written for the least able reader: the secret first and without padding, every parameter explicit, spaces as
 * `%20` since `+` is shown as it stands, and a literal colon in the label. A colon *inside* issuer or account
 * would be taken for that one, so it becomes a space.
 *
 * @throws RangeError when the key is empty, or the period or counter out of range.
 */
export function otpauthUri(uri: OtpauthUri): string {
  if (uri.key.length === 0) throw new RangeError('key is empty')
  if (uri.kind === 'totp' && !isPeriod(uri.period))
    throw new RangeError('period is not from 10 to 300 seconds')
  if (uri.kind === 'hotp' && !isCounter(uri.counter)) throw new RangeError('counter is not from 0 to 2^53-1')
  return uriOfToken(uri)
}

/** As `otpauthUri`, of any period: a hardware token has some that no app takes. */
export function uriOfToken(uri: OtpauthUri): string {
  const issuer = encodeURIComponent(labelPart(uri.issuer))
  const account = encodeURIComponent(labelPart(uri.account))
  const label = issuer === '' ? account : `${issuer}:${account}`
  const parameters = [
    `secret=${encodeBase32(uri.key)}`,
    ...(issuer === '' ? [] : [`issuer=${issuer}`]),
    `algorithm=${uri.algorithm.toUpperCase()}`,
    `digits=${uri.digits}`,
    movingFactor(uri),
  ]
  return `otpauth://${uri.kind}/${label}?${parameters.join('&')}`
}

/** One part of a label: no colons, no outer spaces (readers drop them), and text that UTF-8 can carry. */
function labelPart(text: string): string {
  return text.toWellFormed().replaceAll(':', ' ').trim()
}

const movingFactor = (uri: OtpauthUri): string =>
  uri.kind === 'totp' ? `period=${uri.period}` : `counter=${uri.counter}`

const isPeriod = (value: number) => Number.isInteger(value) && value >= 10 && value <= 300
const isCounter = (value: number) => Number.isSafeInteger(value) && value >= 0

/**
 * Reads a key URI from any source: the inverse of `otpauthUri`, and forgiving where issuers are known to differ.
 *
 * Taken: a secret in lower case, with spaces, hyphens or padding; a label without issuer, or with an encoded
 * colon; a missing algorithm, digits or period, which mean SHA1, 6 and 30; `+` for a space; unknown parameters.
 * Where label and `issuer` disagree the parameter counts, as in newer apps.
 *
 * Refused: no or unreadable secret, a value out of range, a parameter given twice, and an HOTP key without its
 * counter, since guessing 0 would take codes already used.
 */
export function parseOtpauthUri(text: string): OtpauthUri | undefined {
  const [, kind, path = '', query = ''] =
    /^otpauth:\/\/(totp|hotp)\/([^?#]*)\?([^#]*)$/i.exec(text.trim()) ?? []
  const label = decoded(path)
  const parameters = parsedQuery(query)
  if (kind === undefined || label === undefined || parameters === undefined) return undefined

  const key = decodeBase32(parameters.get('secret') ?? '')
  const algorithm = parsedAlgorithm(parameters.get('algorithm') ?? 'SHA1')
  const digits = parsedDigits(parameters.get('digits') ?? '6')
  if (!key || key.length === 0 || !algorithm || !digits) return undefined
  const common = { ...names(label, parameters.get('issuer')), key, algorithm, digits }

  if (kind.toLowerCase() === 'totp') {
    const period = parsedNumber(parameters.get('period') ?? '30')
    return isPeriod(period) ? { kind: 'totp', ...common, period } : undefined
  }
  const counter = parsedNumber(parameters.get('counter') ?? '')
  return isCounter(counter) ? { kind: 'hotp', ...common, counter } : undefined
}

/** The parameters by name; `undefined` if one is unreadable or there twice, as readers differ on which counts. */
function parsedQuery(query: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&').filter((pair) => pair !== '')) {
    const [rawName = '', ...rest] = pair.split('=')
    const name = decoded(rawName)
    // Joined again, for padding that was not encoded.
    const value = decoded(rest.join('=').replaceAll('+', ' '))
    if (name === undefined || value === undefined || parameters.has(name)) return undefined
    parameters.set(name, value)
  }
  return parameters
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // The only fault it has: not percent-encoded UTF-8. The caller refuses the URI.
    return undefined
  }
}

/** Issuer and account of a label, which is `issuer:account` or `account` alone. */
function names(label: string, issuerParameter = ''): Pick<KeyUri, 'issuer' | 'account'> {
  const colon = label.indexOf(':')
  const prefix = labelPart(label.slice(0, Math.max(colon, 0)))
  return { issuer: labelPart(issuerParameter) || prefix, account: labelPart(label.slice(colon + 1)) }
}

function parsedAlgorithm(text: string): OtpAlgorithm | undefined {
  switch (text.toUpperCase().replace('-', '')) {
    case 'SHA1':
      return 'sha1'
    case 'SHA256':
      return 'sha256'
    case 'SHA512':
      return 'sha512'
    default:
      return undefined
  }
}

function parsedDigits(text: string): 6 | 8 | undefined {
  if (text === '6') return 6
  return text === '8' ? 8 : undefined
}

/** The decimal number in `text`; `NaN`, which is within no range, if there is none. */
function parsedNumber(text: string): number {
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
}
