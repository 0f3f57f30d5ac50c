import { bareRecord, type SourceDevice, type SourceRecord } from '../domain/import-record.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { type Protection, withMacMethod } from './pskc-cipher.ts'
import { pskc } from './pskc-elements.ts'
import { containerKey, type GivenKey } from './pskc-key.ts'
import { type PskcToken, readToken } from './pskc-token.ts'
import { SourceError } from './source-error.ts'
import { readTokenOwners } from './token-owners.ts'
import { readXml, type XmlElement } from './xml.ts'

/** With a key or a passphrase, no secret in clear is taken. */
export interface PskcInput extends GivenKey {
  readonly file: string
  /** Names the owners of tokens by serial number, and goes before what the file says. */
  readonly ownersFile: string | undefined
  /** What the dates of tokens are held against. */
  readonly now: UnixSeconds
}

/**
 * The owners of the hardware tokens of a Portable Symmetric Key Container (RFC 6030), without passwords.
 *
 * Secrets are in clear, or under AES-CBC with a MAC, by a key that was shared (§6.1) or is derived of a
 * passphrase (§6.2); keys for a certificate (§6.3) are refused. Signatures are not checked.
 *
 * @throws SourceError when a file cannot be read or is no such container, a MAC is not right, or a token comes twice.
 */
export async function* readPskc({
  file,
  ownersFile,
  now,
  ...given
}: PskcInput): AsyncGenerator<SourceRecord> {
  const owners = ownersFile === undefined ? new Map<string, string>() : await readTokenOwners(ownersFile)
  const unnamed = new Set(owners.keys())
  const people = new Map<string, { readonly devices: SourceDevice[]; readonly notes: string[] }>()
  for await (const token of readTokens(file, { given, now })) {
    unnamed.delete(token.serial)
    const owner = ownerOf(token, owners)
    if ('because' in owner) {
      yield { kind: 'unreadable', sourceId: `token ${token.serial} ${token.keyId}`, username: '', ...owner }
      continue
    }
    const person = people.get(owner.username) ?? { devices: [], notes: [] }
    person.devices.push(token.device)
    person.notes.push(...token.notes)
    people.set(owner.username, person)
  }
  for (const [username, person] of people) yield { ...bareRecord(username, username), ...person }
  for (const serial of unnamed) {
    const username = owners.get(serial) ?? ''
    const because = `the token ${serial} is in the file of owners and not in that of tokens`
    yield { kind: 'unreadable', sourceId: `owner of ${serial}`, username, because }
  }
}

async function* readTokens(
  file: string,
  { given, now }: { readonly given: GivenKey; readonly now: UnixSeconds },
): AsyncGenerator<PskcToken> {
  let protection: Protection = { key: given.key, mac: undefined }
  let isKeyStated = false
  const seen = new Set<string>()
  let root: XmlElement | undefined
  for await (const element of readXml(file)) {
    if (root === undefined) {
      root = element
      if (element.namespace !== pskc || element.name !== 'KeyContainer' || !isVersion1(element))
        throw new SourceError(`${file} is no PSKC file of version 1.0 (RFC 6030).`)
      continue
    }
    if (element.namespace !== pskc) continue
    if (element.name === 'EncryptionKey') {
      // Each might ask for minutes of PBKDF2, and none is better than the other.
      if (isKeyStated) throw new SourceError(`${file} names its key twice.`)
      isKeyStated = true
      protection = { ...protection, key: await containerKey(element, given) }
    }
    if (element.name === 'MACMethod') protection = withMacMethod(protection, element)
    if (element.name !== 'KeyPackage') continue
    if (given.passphrase !== undefined && !isKeyStated)
      throw new SourceError(`${file} is not encrypted with a passphrase. Ask its maker which file is meant.`)
    const token = readToken(element, { protection, now })
    const name = JSON.stringify([token.serial, token.keyId])
    if (seen.has(name))
      throw new SourceError(
        `${file} has the token ${token.serial} with the key ${token.keyId} twice. Ask its maker for a file in which it stands once.`,
      )
    seen.add(name)
    yield token
  }
}

const isVersion1 = ({ attributes }: XmlElement): boolean => attributes.get('Version') === '1.0'

/** Whose a token is: as the operator says, and else as the file says. */
function ownerOf(
  { serial, keyId, userId }: PskcToken,
  owners: ReadonlyMap<string, string>,
): { readonly username: string } | { readonly because: string } {
  const username = owners.get(serial) ?? userId
  const name = serial === '' ? `the token with the key ${keyId}` : `the token ${serial}`
  if (username === '') return { because: `${name} has no owner: name one in the file of --owners` }
  // Two people of different directories may have one name there, and only one here.
  if (!owners.has(serial) && username.includes('='))
    return { because: `${name} belongs to a name of a directory: name its owner in the file of --owners` }
  return { username }
}
