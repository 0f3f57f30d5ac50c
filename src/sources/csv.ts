import { bareRecord, type SourceDevice, type SourceRecord } from '../domain/import-record.ts'
import { decodeBase32 } from '../domain/otp/base32.ts'
import { parseOtpauthUri } from '../domain/otp/otpauth-uri.ts'
import { readLines } from './lines.ts'
import { uriDevice } from './otpauth-device.ts'
import { SourceError } from './source-error.ts'

/** The columns that a file may have, in any order; `username` it must have. */
export const csvColumns = [
  ...['username', 'display_name', 'password_hash', 'groups', 'disabled', 'superuser', 'otpauth_uri'],
  // As `authelia storage user totp export csv` writes them.
  ...['issuer', 'secret', 'algorithm', 'digits', 'period'],
] as const

/**
 * People of a file of comma-separated values with a header (RFC 4180), a line each.
 *
 * Groups are separated by semicolons; `disabled` and `superuser` are yes or no, and anything but no disables.
 *
 * @throws SourceError when the file cannot be read, or its header names something else.
 */
export async function* readCsv(file: string): AsyncGenerator<SourceRecord> {
  let header: readonly string[] | undefined
  for await (const line of readLines(file)) {
    const fields = 'text' in line ? fieldsOf(line.text) : undefined
    if (header === undefined) {
      header = checkedHeader(file, fields)
      continue
    }
    if ('text' in line && line.text.trim() === '') continue
    const sourceId = `line ${line.number}`
    const because =
      'because' in line
        ? line.because
        : fields?.length === header.length
          ? undefined
          : `the line does not have the ${header.length} fields of the header`
    if (because !== undefined || fields === undefined)
      yield { kind: 'unreadable', sourceId, username: '', because: because ?? 'the line is not CSV' }
    else yield personOf(new Map(header.map((name, index) => [name, fields[index] ?? ''])))
  }
}

function checkedHeader(file: string, fields: readonly string[] | undefined): readonly string[] {
  const header = fields?.map((name) => name.trim().toLowerCase()) ?? []
  const unknown = header.filter((name) => !(csvColumns as readonly string[]).includes(name))
  const isTwice = new Set(header).size < header.length
  if (!header.includes('username') || unknown.length > 0 || isTwice)
    throw new SourceError(
      `The first line of ${file} must name the columns, each once, username among them: ${csvColumns.join(', ')}.`,
    )
  return header
}

/** The fields of a line (RFC 4180); `undefined` when a quote is not closed, or something stands behind one. */
export function fieldsOf(line: string): string[] | undefined {
  const fields: string[] = []
  let rest = line
  for (;;) {
    const [whole, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest) ?? []
    if (whole === undefined) return undefined
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (whole.length === rest.length) return fields
    rest = rest.slice(whole.length + 1)
  }
}

function personOf(fields: ReadonlyMap<string, string>): SourceRecord {
  const of = (name: string) => fields.get(name) ?? ''
  const username = of('username')
  const disabled = of('disabled').trim().toLowerCase()
  return {
    ...bareRecord(username, username),
    displayName: of('display_name'),
    isSuperuser: /^(?:yes|true|1)$/i.test(of('superuser').trim()),
    isDisabled: !['', 'no', 'false', '0'].includes(disabled),
    passwordHash: of('password_hash') === '' ? undefined : of('password_hash'),
    groups: of('groups')
      .split(';')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    devices: devicesOf(of),
  }
}

function devicesOf(of: (name: string) => string): SourceDevice[] {
  const devices: SourceDevice[] = []
  if (of('otpauth_uri') !== '') devices.push(uriDevice(parseOtpauthUri(of('otpauth_uri'))))
  if (of('secret') === '') return devices
  const key = decodeBase32(of('secret'))
  const algorithm = /^(?:|sha-?1)$/i.test(of('algorithm'))
    ? 'sha1'
    : /^sha-?(256|512)$/i.exec(of('algorithm'))?.[1]
  if (key === undefined || key.length === 0 || algorithm === undefined) {
    devices.push({
      kind: 'unreadable',
      sourceId: 'secret',
      because: 'its secret or algorithm cannot be read',
    })
    return devices
  }
  devices.push({
    kind: 'totp',
    sourceId: 'secret',
    name: 'Authenticator',
    key,
    algorithm: algorithm === 'sha1' ? 'sha1' : algorithm === '256' ? 'sha256' : 'sha512',
    digits: Number(of('digits') || '6'),
    period: Number(of('period') || '30'),
    ...{ t0: 0, drift: 0, lastUsedStep: -1, counter: 0, lastUsedAt: undefined },
  })
  return devices
}
