import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import {
  bareRecord,
  type ImportRecord,
  type SourceDevice,
  type SourceRecord,
} from '../domain/import-record.ts'
import { decodeBase32 } from '../domain/otp/base32.ts'
import { SourceError } from './source-error.ts'

const NAME = '.google_authenticator'

/** A file of the program has some hundred bytes. */
const LONGEST_BYTES = 65_536

/**
 * The people of a folder of home folders with a file of `google-authenticator` in each, as `/home`, or of a folder of such
 * files named after their users.
 *
 * They come without a password, since the file has none. Only plain files are read: a link in somebody's home may lead anywhere.
 *
 * @throws SourceError when the folder cannot be listed.
 */
export async function* readGoogleAuthenticator(folder: string): AsyncGenerator<SourceRecord> {
  for (const { username, path } of filesOf(folder)) {
    const text = readPlainFile(path)
    if (text === undefined) continue
    const because = text === '' ? 'the file cannot be read, or is no plain file of that program' : undefined
    yield because === undefined
      ? personOf(username, text)
      : { kind: 'unreadable', sourceId: username, username, because }
  }
}

function filesOf(folder: string): { username: string; path: string }[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .filter((entry) => entry.isDirectory() || entry.isFile())
      .map((entry) => ({
        username: entry.name,
        path: entry.isFile() ? join(folder, entry.name) : join(folder, entry.name, NAME),
      }))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable'
    throw new SourceError(`${folder} cannot be listed: ${why}. Name a folder, such as /home.`, { cause })
  }
}

/** The text of the file; `undefined` when there is none, empty when it cannot be read. */
function readPlainFile(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { size } = fstatSync(file)
    if (!fstatSync(file).isFile() || size > LONGEST_BYTES) return ''
    const bytes = Buffer.alloc(size)
    return bytes.toString('utf8', 0, readSync(file, bytes))
  } catch (error) {
    // Whoever has no such file takes no part; any other fault is told in the report.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : ''
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function personOf(username: string, text: string): ImportRecord {
  const [secret = '', ...rest] = text.split('\n').map((line) => line.trim())
  const options = new Map(
    rest
      .filter((line) => line.startsWith('" '))
      .map((line) => {
        const [name = '', ...values] = line.slice(2).split(/\s+/)
        return [name, values] as const
      }),
  )
  return {
    ...bareRecord(username, username),
    devices: [deviceOf(secret, options)],
    codes: rest.filter((line) => /^[0-9]{8}$/.test(line)),
  }
}

function deviceOf(secret: string, options: ReadonlyMap<string, readonly string[]>): SourceDevice {
  const key = decodeBase32(secret)
  if (key === undefined || key.length === 0)
    return { kind: 'unreadable', sourceId: 'secret', because: 'its key is not base32' }
  const first = (name: string, otherwise: number) => {
    const text = options.get(name)?.[0]
    if (text === undefined) return otherwise
    return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
  }
  const counter = options.get('HOTP_COUNTER')
  // The time steps whose codes were taken and would be taken once more without this.
  const used = (options.get('DISALLOW_REUSE') ?? []).filter((step) => /^[0-9]{1,15}$/.test(step)).map(Number)
  return {
    kind: counter === undefined ? 'totp' : 'hotp',
    sourceId: 'secret',
    name: 'Authenticator',
    key,
    algorithm: 'sha1',
    digits: 6,
    period: first('STEP_SIZE', 30),
    t0: 0,
    drift: first('TIME_SKEW', 0),
    lastUsedStep: Math.max(-1, ...used),
    counter: counter === undefined ? 0 : first('HOTP_COUNTER', Number.NaN),
    lastUsedAt: undefined,
  }
}
