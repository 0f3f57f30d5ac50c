import { groupNameProblem } from './group.ts'
import { DEVICE_NAME_MAXIMUM, DISPLAY_NAME_MAXIMUM, label } from './label.ts'
import type { OtpAlgorithm } from './otp/hotp.ts'
import { parseImportedCode } from './otp/imported-code.ts'
import type { PasswordHash } from './password/hash-parameters.ts'
import { hashFormat, isWeakHash, oldHashProblem } from './password/old-hash.ts'
import type { UnixSeconds } from './time.ts'
import { explainUsername, usernameProblem } from './user.ts'

/** What a source gives: a person, or something that should have been one. */
export type SourceRecord = ImportRecord | UnreadableRecord

/** A line or row of which nothing can be made. */
export interface UnreadableRecord {
  readonly kind: 'unreadable'
  readonly sourceId: string
  /** Empty when not even that could be read. */
  readonly username: string
  readonly because: string
}

/** One person as a source has them: read, and nothing decided yet. Texts are what the source says, unchecked. */
export interface ImportRecord {
  readonly kind?: never
  /** What the source calls the person for ever, such as a primary key. */
  readonly sourceId: string
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly isDisabled: boolean
  readonly createdAt: UnixSeconds | undefined
  readonly lastSignInAt: UnixSeconds | undefined
  /** A hash in a format of `old-hash.ts` or of ours; `undefined` where the source has none that opens. */
  readonly passwordHash: string | undefined
  /** Whether it is the hash of the PIN of a token: of use beside that token only, and to be replaced at the first sign-in. */
  readonly isPin: boolean
  readonly groups: readonly string[]
  readonly devices: readonly SourceDevice[]
  /** One-time codes in clear. */
  readonly codes: readonly string[]
  /** What the reader itself left out, in sentences. */
  readonly notes: readonly string[]
}

/** A person of whom no more than the name is known, for a source to add to. */
export const bareRecord = (sourceId: string, username: string): ImportRecord => ({
  sourceId,
  username,
  displayName: '',
  isSuperuser: false,
  isDisabled: false,
  createdAt: undefined,
  lastSignInAt: undefined,
  passwordHash: undefined,
  isPin: false,
  groups: [],
  devices: [],
  codes: [],
  notes: [],
})

/** An authenticator as a source has it, or why it could not be read. */
export type SourceDevice =
  | { readonly kind: 'unreadable'; readonly sourceId: string; readonly because: string }
  | ReadableDevice

export interface ReadableDevice {
  readonly kind: 'totp' | 'hotp'
  readonly sourceId: string
  readonly name: string
  readonly key: Uint8Array
  readonly algorithm: OtpAlgorithm
  readonly digits: number
  readonly period: number
  readonly t0: number
  readonly drift: number
  /** Highest step ever accepted; -1 before the first. */
  readonly lastUsedStep: number
  /** Next counter to expect. */
  readonly counter: number
  readonly lastUsedAt: UnixSeconds | undefined
}

/** What the operator decided about an import. */
export interface ImportRules {
  /** Whether superusers of the source become superusers here. */
  readonly superusers: boolean
  /** Names of groups here for those of the source that cannot be names here. */
  readonly groupNames: ReadonlyMap<string, string>
  /** Whether keys of 80 to 127 bits are taken. */
  readonly shortKeys: boolean
  /** Whether people whose authenticators cannot be taken over may set one up with the password alone. */
  readonly enrolAnew: boolean
  readonly maximumDevices: number
}

/** One person as they can be here. */
export interface ImportedPerson {
  readonly kind: 'suitable'
  readonly sourceId: string
  readonly username: string
  readonly displayName: string
  readonly isSuperuser: boolean
  readonly isDisabled: boolean
  /** From then on a password alone opens nothing (SEC-AUTH-4), also where no device could be taken over. */
  readonly hasSecondFactor: boolean
  readonly createdAt: UnixSeconds | undefined
  readonly lastSignInAt: UnixSeconds | undefined
  readonly passwordHash: PasswordHash | undefined
  readonly isPin: boolean
  readonly groups: readonly string[]
  readonly devices: readonly ImportedDevice[]
  /** Canonical. */
  readonly codes: readonly string[]
  /** What was left out and why, and what the operator should know. */
  readonly notes: readonly string[]
}

export type ImportedDevice = Omit<ReadableDevice, 'digits'> & { readonly digits: 6 | 8 }

export type PreparedRecord = ImportedPerson | { readonly kind: 'left-out'; readonly because: string }

/** Shortest key, in bytes: 128 bits (RFC 4226 §4, SEC-OTP-1), and what is taken when short ones are asked for. */
const KEY_MINIMUM = 16
const SHORT_KEY_MINIMUM = 10
/** More than any program makes; what is beyond it is no set of codes. */
const CODES_MAXIMUM = 100

/** Decides what of a record can be taken over; nothing is changed to fit, and whatever is not taken is named. */
export function prepareRecord(record: ImportRecord, rules: ImportRules): PreparedRecord {
  const problem = usernameProblem(record.username)
  if (problem !== undefined) return { kind: 'left-out', because: explainUsername(problem) }
  const notes = [...record.notes]
  const devices = suitableDevices(record.devices, rules, notes)
  const isAlone = record.isPin && devices.length === 0
  const passwordHash = isAlone ? undefined : suitableHash(record.passwordHash, notes)
  // Four digits would set up an authenticator, where people may do so with the password alone.
  if (isAlone) notes.push('PIN left out: there is no token beside it')
  const codes = suitableCodes(record.codes, notes)
  const hadFactor = record.devices.length > 0 || record.codes.length > 0
  const hasFactor = devices.length > 0 || codes.length > 0
  if (hadFactor && !hasFactor) notes.push(lockedOut(rules.enrolAnew, record.username))
  if (record.isSuperuser && !rules.superusers)
    notes.push('is a superuser there and not here; see --superusers')
  return {
    kind: 'suitable',
    sourceId: record.sourceId,
    username: record.username,
    displayName: suitableName(record.displayName, notes),
    isSuperuser: record.isSuperuser && rules.superusers,
    isDisabled: record.isDisabled,
    hasSecondFactor: hasFactor || (hadFactor && !rules.enrolAnew),
    createdAt: record.createdAt,
    lastSignInAt: record.lastSignInAt,
    passwordHash,
    isPin: record.isPin,
    groups: suitableGroups(record.groups, rules, notes),
    devices,
    codes,
    notes,
  }
}

const lockedOut = (enrolAnew: boolean, username: string): string =>
  enrolAnew
    ? 'sets up a new authenticator with the password alone'
    : `cannot sign in before: watchword user reset-second-factor ${username}`

function suitableHash(hash: string | undefined, notes: string[]): PasswordHash | undefined {
  if (hash === undefined) return undefined
  switch (oldHashProblem(hash)) {
    case 'unknown-format':
      notes.push('password left out: its hash is of a format that cannot be checked here')
      return undefined
    case 'too-costly':
      notes.push('password left out: its hash asks for too much time or memory')
      return undefined
    case undefined: {
      const suitable = hash as PasswordHash // Of a format that is checked, as was just seen.
      if (isWeakHash(hash)) notes.push(`weak password hash (${hashFormat(suitable)}) until the first sign-in`)
      return suitable
    }
  }
}

function suitableName(typed: string, notes: string[]): string {
  if (typed.trim() === '') return ''
  const name = typed.includes('\uFFFD') ? undefined : label(typed, DISPLAY_NAME_MAXIMUM)
  if (name === undefined)
    notes.push('display name left out: it is too long or holds characters that do not show')
  return name ?? ''
}

function suitableGroups(names: readonly string[], rules: ImportRules, notes: string[]): string[] {
  const suitable = new Set<string>()
  for (const there of names) {
    const name = rules.groupNames.get(there) ?? there
    if (groupNameProblem(name) === undefined) suitable.add(name)
    else notes.push(`group "${there}" left out: it cannot be a name here; see --rename-group`)
  }
  return [...suitable]
}

function suitableDevices(
  devices: readonly SourceDevice[],
  rules: ImportRules,
  notes: string[],
): ImportedDevice[] {
  const suitable: ImportedDevice[] = []
  for (const device of devices) {
    if (suitable.some(({ sourceId }) => sourceId === device.sourceId)) continue
    const prepared = suitableDevice(device, rules)
    if (typeof prepared === 'string') notes.push(`authenticator left out: ${prepared}`)
    else if (suitable.length >= rules.maximumDevices) {
      notes.push(`authenticator left out: there may be ${rules.maximumDevices} (totp.maximum_devices)`)
    } else suitable.push(prepared)
  }
  return suitable
}

/** The device as it can be here, or why it cannot. */
function suitableDevice(device: SourceDevice, { shortKeys }: ImportRules): ImportedDevice | string {
  if (device.kind === 'unreadable') return device.because
  const { key, digits } = device
  if (key.length < SHORT_KEY_MINIMUM) return `its key has ${8 * key.length} bits`
  if (key.length < KEY_MINIMUM && !shortKeys) return `its key has ${8 * key.length} bits; see --short-keys`
  if (key.length > 128) return 'its key is too long'
  if (digits !== 6 && digits !== 8) return `its codes have ${digits} digits`
  const { period, t0, lastUsedStep, counter } = device
  if (!within(period, 10, 300)) return 'its period is not from 10 to 300 seconds'
  if (!within(t0, 0, Number.MAX_SAFE_INTEGER) || !within(counter, 0, Number.MAX_SAFE_INTEGER - 100))
    return 'its counter or start is out of range'
  if (!within(lastUsedStep, -1, Number.MAX_SAFE_INTEGER)) return 'its last used step is out of range'
  const name = label(device.name, DEVICE_NAME_MAXIMUM) ?? 'Authenticator'
  // What was learnt further than two steps away is believed nowhere (SEC-OTP-3).
  const drift = Number.isSafeInteger(device.drift) ? Math.min(Math.max(device.drift, -2), 2) : 0
  return { ...device, digits, name, drift }
}

const within = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most

function suitableCodes(codes: readonly string[], notes: string[]): string[] {
  const suitable = new Set<string>()
  for (const code of codes) {
    const canonical = parseImportedCode(code)
    if (canonical !== undefined && suitable.size < CODES_MAXIMUM) suitable.add(canonical)
  }
  const left = new Set(codes).size - suitable.size
  if (left > 0)
    notes.push(
      `one-time codes left out: ${left} (not 8 to 16 letters and digits with a letter among them, nor 8 digits)`,
    )
  return [...suitable]
}
