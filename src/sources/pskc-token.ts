import type { SourceDevice } from '../domain/import-record.ts'
import type { OtpAlgorithm } from '../domain/otp/hotp.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { openValue, type Protection, readBase64 } from './pskc-cipher.ts'
import { only, pskc, saysTwice, textOf } from './pskc-elements.ts'
import type { XmlElement } from './xml.ts'

/** A token of a container: of which device it is, whose, and what can be made of it. */
export interface PskcToken {
  readonly serial: string
  readonly keyId: string
  /** As the file says; empty when it does not. */
  readonly userId: string
  readonly device: SourceDevice
  /** What the operator should know of a token that is taken over. */
  readonly notes: readonly string[]
}

/**
 * The token of a `KeyPackage` (RFC 6030 §4): HOTP (RFC 4226) or TOTP (RFC 6238).
 *
 * Whatever it says that cannot be kept here makes it unreadable, with the reason: other algorithms and forms
 * of codes, dates that it is outside of, policies (RFC 6030 §5).
 *
 * @throws SourceError when what is encrypted does not open.
 */
export function readToken(
  keyPackage: XmlElement,
  { protection, now }: { readonly protection: Protection; readonly now: UnixSeconds },
): PskcToken {
  const info = only(keyPackage, 'DeviceInfo')
  const key = only(keyPackage, 'Key')
  const serial = textOf(only(info, 'SerialNo'))
  const keyId = key?.attributes.get('Id') ?? ''
  const name = serial === '' ? `Token ${keyId}` : `Token ${serial}`
  const token = {
    serial,
    keyId,
    // The owner of the key; the device may be somebody else's.
    userId: textOf(only(key, 'UserId')) || textOf(only(info, 'UserId')),
  }
  // Neither may hold what would make two tokens one.
  const sourceId = JSON.stringify([serial, keyId])
  const policy = only(key, 'Policy')
  const read =
    key === undefined || saysTwice(keyPackage)
      ? 'it is not of the form of RFC 6030'
      : (dateProblem([info, policy], now) ?? policyProblem(policy) ?? readKey(key, protection))
  if (typeof read === 'string') {
    const because = `${name}: ${read}`
    return { ...token, device: { kind: 'unreadable', sourceId, because }, notes: [] }
  }
  const ends = [info, policy].map((place) => textOf(only(place, 'ExpiryDate'))).filter((text) => text !== '')
  return {
    ...token,
    device: { ...read, sourceId, name, t0: 0, lastUsedStep: -1, lastUsedAt: undefined },
    notes: ends.map((end) => `${name} is to be used until ${end}: remove it then, for nothing ends it here`),
  }
}

type ReadKey = Pick<
  Exclude<SourceDevice, { kind: 'unreadable' }>,
  'kind' | 'key' | 'algorithm' | 'digits' | 'period' | 'drift' | 'counter'
>

function readKey(key: XmlElement, protection: Protection): ReadKey | string {
  const parameters = only(key, 'AlgorithmParameters')
  const data = only(key, 'Data')
  const kind =
    /^(?:urn:ietf:params:xml:ns:keyprov:pskc:|http:\/\/www\.ietf\.org\/keyprov\/pskc#)(hotp|totp)$/.exec(
      key.attributes.get('Algorithm') ?? '',
    )?.[1]
  if (kind !== 'hotp' && kind !== 'totp') return 'it is neither HOTP nor TOTP'
  const algorithm = algorithmOf(textOf(only(parameters, 'Suite')))
  if (algorithm === undefined) return 'its suite is not known here'
  const digits = digitsOf(parameters)
  if (typeof digits === 'string') return digits
  const counter = numberOf(data, 'Counter')
  const period = numberOf(data, 'TimeInterval') ?? 30
  const drift = numberOf(data, 'TimeDrift') ?? 0
  const time = numberOf(data, 'Time') ?? 0
  if (kind === 'hotp' && counter === undefined) return 'it has no counter'
  if (Number.isNaN(counter) || Number.isNaN(period) || Number.isNaN(drift) || Number.isNaN(time))
    return 'its counter, time or interval cannot be read'
  // Steps passed since a start that is not named, so what step it is now cannot be told.
  if (kind === 'totp' && time !== 0) return 'its time does not count from 1970'
  const secret = secretOf(only(data, 'Secret'), protection)
  if (typeof secret === 'string') return secret
  return {
    ...{ kind, key: secret, algorithm, digits },
    period: kind === 'totp' ? period : 30,
    drift: kind === 'totp' ? drift : 0,
    counter: kind === 'hotp' ? (counter ?? 0) : 0,
  }
}

/** SHA-1 unless the suite names another (RFC 6238 §1.2). */
function algorithmOf(suite: string): OtpAlgorithm | undefined {
  if (suite === '') return 'sha1'
  const bits = /^(?:HMAC-?)?SHA-?(1|256|512)$/i.exec(suite)?.[1]
  if (bits === undefined) return undefined
  return bits === '1' ? 'sha1' : bits === '256' ? 'sha256' : 'sha512'
}

function digitsOf(parameters: XmlElement | undefined): number | string {
  const format = only(parameters, 'ResponseFormat')
  const [encoding, length, check] = ['Encoding', 'Length', 'CheckDigits'].map((name) =>
    format?.attributes.get(name),
  )
  if (format === undefined) return 'it does not say how many digits its codes have'
  if (encoding !== 'DECIMAL' || !/^\d{1,2}$/.test(length ?? '')) return 'its codes are not decimal digits'
  if (check !== undefined && !['false', '0'].includes(check)) return 'its codes have a check digit'
  return Number(length)
}

/** A whole number that is not encrypted; `undefined` when it is not stated, and `NaN` when it cannot be read. */
function numberOf(data: XmlElement | undefined, name: string): number | undefined {
  const stated = only(data, name)
  if (stated === undefined) return undefined
  const text = textOf(only(stated, 'PlainValue'))
  return /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}

function secretOf(secret: XmlElement | undefined, protection: Protection): Uint8Array | string {
  const encrypted = only(secret, 'EncryptedValue')
  if (secret !== undefined && encrypted !== undefined) return openValue(secret, encrypted, protection)
  const plain = readBase64(textOf(only(secret, 'PlainValue')))
  if (plain === undefined) return 'it has no key that can be read'
  // Else whoever can write to the file adds a key of their own to it.
  return protection.key === undefined ? plain : 'its key is in clear, although the file has a key'
}

function dateProblem(places: readonly (XmlElement | undefined)[], now: UnixSeconds): string | undefined {
  for (const place of places) {
    for (const name of ['StartDate', 'ExpiryDate']) {
      const stated = only(place, name)
      if (stated === undefined) continue
      const text = textOf(stated)
      // A local time without its zone is one of two dozen.
      const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)
      const at = isDate ? Date.parse(text) / 1000 : Number.NaN
      if (Number.isNaN(at)) return 'its dates cannot be read'
      if (name === 'StartDate' && at > now) return `it may not be used before ${text}`
      if (name === 'ExpiryDate' && at <= now) return `it was to be used until ${text}`
    }
  }
  return undefined
}

/** A policy holds altogether or not at all: what is not understood forbids the use (RFC 6030 §5). */
function policyProblem(policy: XmlElement | undefined): string | undefined {
  const usages: string[] = []
  for (const rule of policy?.children ?? []) {
    const name = rule.namespace === pskc ? rule.name : ''
    if (name === 'KeyUsage') usages.push(textOf(rule))
    else if (name === 'PINPolicy') {
      // A PIN that the device asks for itself is no matter of ours; every other is sent with the code.
      if (rule.attributes.get('PINUsageMode') !== 'Local') return 'its policy asks for a PIN with each code'
    } else if (!['StartDate', 'ExpiryDate'].includes(name)) return 'its policy cannot be kept here'
  }
  return usages.length === 0 || usages.includes('OTP') ? undefined : 'its policy does not let it make codes'
}
