import { fieldsOf } from './csv.ts'
import { readLines } from './lines.ts'
import { SourceError } from './source-error.ts'

/**
 * Who has which token: usernames by serial number, from comma-separated values with the header `serial,username` in either order.
 *
 * @throws SourceError when the file cannot be read, a line has another form, or a serial number comes twice.
 */
export async function readTokenOwners(file: string): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  let header: readonly string[] | undefined
  for await (const line of readLines(file)) {
    if ('text' in line && line.text.trim() === '') continue
    const fields = 'text' in line ? fieldsOf(line.text)?.map((field) => field.trim()) : undefined
    if (header === undefined) {
      header = fields?.map((name) => name.toLowerCase()) ?? []
      if (header.toSorted().join() === 'serial,username') continue
      throw withoutHeader(file)
    }
    const serial = fields?.[header.indexOf('serial')] ?? ''
    const username = fields?.[header.indexOf('username')] ?? ''
    if (fields?.length !== 2 || serial === '' || username === '')
      throw new SourceError(`Line ${line.number} of ${file} must be a serial number and a username.`)
    if (owners.has(serial))
      throw new SourceError(`${file} has the serial number ${serial} twice. Say who has that token.`)
    owners.set(serial, username)
  }
  if (header === undefined) throw withoutHeader(file)
  return owners
}

const withoutHeader = (file: string) => new SourceError(`The first line of ${file} must be serial,username.`)
