import { bareRecord, type SourceRecord } from '../domain/import-record.ts'
import { parseOtpauthUri } from '../domain/otp/otpauth-uri.ts'
import { readLines } from './lines.ts'
import { uriDevice } from './otpauth-device.ts'

/**
 * People of a file of key URIs, a line each, as `authelia storage user totp export uri` prints them: the
 * account of the label is the username. They come without a password.
 *
 * @throws SourceError when the file cannot be read.
 */
export async function* readOtpauthUris(file: string): AsyncGenerator<SourceRecord> {
  for await (const line of readLines(file)) {
    if ('text' in line && line.text.trim() === '') continue
    const uri = 'text' in line ? parseOtpauthUri(line.text) : undefined
    if (uri === undefined) {
      // Nothing of the line is shown, for it may hold a key.
      const because = 'because' in line ? line.because : 'the line is no otpauth URI'
      yield { kind: 'unreadable', sourceId: `line ${line.number}`, username: '', because }
      continue
    }
    yield { ...bareRecord(uri.account, uri.account), devices: [uriDevice(uri)] }
  }
}
