import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { readBase64 } from './pskc-cipher.ts'
import { only, pskc, textOf } from './pskc-elements.ts'
import { SourceError } from './source-error.ts'
import type { XmlElement } from './xml.ts'

/** What the operator has of the key of a container. */
export interface GivenKey {
  /** The key that was shared beforehand (RFC 6030 §6.1). */
  readonly key: Uint8Array | undefined
  /** What a key is derived of (RFC 6030 §6.2), in UTF-8 as it was typed. */
  readonly passphrase: string | undefined
}

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const xenc11 = 'http://www.w3.org/2009/xmlenc11#'
const pkcs5 = 'http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#'

/** Where programs put the parameters: the RFC's own example has some in none, and with a default namespace in its own. */
const ofParameters = [pkcs5, xenc11, pskc, '']

/** Some two seconds of one core, as with a hash of a password that comes from elsewhere. */
const MOST_ITERATIONS = 5_000_000

/** PRF by what the file says of it; HMAC-SHA1 where it says nothing (RFC 8018 appendix A.2). */
const hashes: ReadonlyMap<string, 'sha1' | 'sha256' | 'sha512'> = new Map([
  ['', 'sha1'],
  [`${ds}hmac-sha1`, 'sha1'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha512', 'sha512'],
])

/**
 * The key of a container, by its `EncryptionKey`: the one that was shared, or one that is derived of the passphrase by PBKDF2.
 *
 * `undefined` when a key was shared and not given. At most five million iterations are done.
 *
 * @throws SourceError when the file wants what was not given, is encrypted for a certificate, or its PBKDF2 parameters are out of
 *   bounds or cannot be read.
 */
export async function containerKey(
  element: XmlElement,
  { key, passphrase }: GivenKey,
): Promise<Uint8Array | undefined> {
  const derived = only(element, 'DerivedKey', xenc11)
  if (derived !== undefined) {
    if (passphrase === undefined)
      throw new SourceError(
        'The file is encrypted with a passphrase. Give it with --passphrase-stdin or --ask-passphrase.',
      )
    return derivedKey(derived, passphrase)
  }
  // Some programs give the shared key no name.
  if (only(element, 'KeyName', ds) === undefined && element.children.length > 0)
    throw new SourceError(
      'The file is encrypted for a certificate. Get it encrypted with a pre-shared key (RFC 6030 §6.1).',
    )
  if (passphrase !== undefined)
    throw new SourceError(
      'The file is encrypted with a key and not with a passphrase. Give the key with --key-stdin.',
    )
  return key
}

async function derivedKey(derived: XmlElement, passphrase: string): Promise<Uint8Array> {
  const method = only(derived, 'KeyDerivationMethod', xenc11)
  if (![`${pkcs5}pbkdf2`, `${xenc11}pbkdf2`].includes(method?.attributes.get('Algorithm') ?? ''))
    throw new SourceError('The key of the file is derived otherwise than by PBKDF2.')
  const parameters = parameter(method, 'PBKDF2-params')
  const salt = readBase64(textOf(parameter(parameter(parameters, 'Salt'), 'Specified')))
  const iterations = numberOf(parameter(parameters, 'IterationCount'))
  const bytes = numberOf(parameter(parameters, 'KeyLength'))
  const stated = parameter(parameters, 'PRF')
  const hash = hashes.get(stated?.attributes.get('Algorithm') ?? textOf(stated))
  if (salt === undefined || hash === undefined || (bytes !== 16 && bytes !== 32))
    throw new SourceError(
      'The PBKDF2 parameters of the file cannot be used: a salt, a key of 16 or 32 bytes, and HMAC with SHA-1, SHA-256 or SHA-512 are.',
    )
  if (!(iterations >= 1 && iterations <= MOST_ITERATIONS))
    throw new SourceError(
      `The file asks for ${Number.isNaN(iterations) ? 'no known number of' : iterations} iterations of PBKDF2; ${MOST_ITERATIONS} are the most that are done here.`,
    )
  return promisify(pbkdf2)(passphrase, salt, iterations, bytes, hash)
}

/** The only child of that name in any of the namespaces that programs put it in. */
function parameter(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  const found = ofParameters.flatMap((namespace) => only(parent, name, namespace) ?? [])
  return found.length === 1 ? found[0] : undefined
}

const numberOf = (element: XmlElement | undefined): number => {
  const text = textOf(element)
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}
