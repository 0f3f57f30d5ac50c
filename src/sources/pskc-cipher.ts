import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { only, textOf } from './pskc-elements.ts'
import { SourceError } from './source-error.ts'
import type { XmlElement } from './xml.ts'

/** How the values of a container are protected. */
export interface Protection {
  /** The key that was shared beforehand or derived of a passphrase, where there is one. */
  readonly key: Uint8Array | undefined
  readonly mac: { readonly hash: 'sha1' | 'sha256'; readonly key: Uint8Array } | undefined
}

const xenc = 'http://www.w3.org/2001/04/xmlenc#'

const macHashes: ReadonlyMap<string, 'sha1' | 'sha256'> = new Map([
  ['http://www.w3.org/2000/09/xmldsig#hmac-sha1', 'sha1'],
  ['http://www.w3.org/2001/04/xmldsig-more#hmac-sha256', 'sha256'],
])

const ciphers: ReadonlyMap<string, { name: 'aes-128-cbc' | 'aes-256-cbc'; keyBytes: number }> = new Map([
  [`${xenc}aes128-cbc`, { name: 'aes-128-cbc', keyBytes: 16 }],
  [`${xenc}aes256-cbc`, { name: 'aes-256-cbc', keyBytes: 32 }],
])

/** Longer than any key or value of a token in base64. */
const LONGEST_BASE64 = 2048

/** Bytes of an AES block, and of the initialisation vector in front of what is encrypted. */
const BLOCK = 16

/** A pre-shared key in hexadecimal or base64; `undefined` unless it has 128 or 256 bits. */
export function readSharedKey(text: string): Uint8Array | undefined {
  const typed = text.trim()
  // No text of these lengths is a key in both spellings.
  const key = /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i.test(typed) ? Buffer.from(typed, 'hex') : readBase64(typed)
  return key?.length === 16 || key?.length === 32 ? key : undefined
}

/** Bytes of base64 (RFC 4648 §4), which XML may break into lines; `undefined` for anything else. */
export function readBase64(text: string): Buffer | undefined {
  if (text.length > LONGEST_BASE64) return undefined
  const digits = text.replaceAll(/[ \t\r\n]/g, '')
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(digits)
    ? Buffer.from(digits, 'base64')
    : undefined
}

/**
 * The protection with the MAC method of a container (RFC 6030 §6.1.1).
 *
 * Without a MAC key of its own the method uses the key that encrypts.
 *
 * @throws SourceError when the method is not HMAC with SHA-1 or SHA-256, or its key does not open.
 */
export function withMacMethod(protection: Protection, method: XmlElement): Protection {
  const hash = macHashes.get(method.attributes.get('Algorithm') ?? '')
  if (hash === undefined) throw new SourceError('The MAC of the file is neither HMAC-SHA1 nor HMAC-SHA256.')
  // Nothing is encrypted, or the first value that is will say so.
  if (protection.key === undefined) return protection
  const macKey = only(method, 'MACKey')
  if (macKey === undefined) return { ...protection, mac: { hash, key: protection.key } }
  const { cipher, bytes } = encrypted(macKey, protection.key)
  const key = decrypt(cipher, protection.key, bytes)
  // A wrong key mostly shows here, and else at the first MAC.
  if (key === undefined || key.length === 0) throw wrongKey()
  return { ...protection, mac: { hash, key } }
}

/**
 * The bytes of a value that is encrypted with the key of the container, after its MAC was found right.
 *
 * @throws SourceError when no key was given, CBC has no MAC (RFC 6030 §6.1), or the MAC is not right.
 */
export function openValue(value: XmlElement, encryptedValue: XmlElement, { key, mac }: Protection): Buffer {
  if (key === undefined)
    throw new SourceError('The file is encrypted. Give its key on standard input, with --key-stdin.')
  const { cipher, bytes } = encrypted(encryptedValue, key)
  const stated = readBase64(textOf(only(value, 'ValueMAC')))
  if (mac === undefined || stated === undefined)
    throw new SourceError(
      'An encrypted value of the file has no MAC, so it may have been changed. Get the file with MACs (RFC 6030 §6.1).',
    )
  const right = createHmac(mac.hash, mac.key).update(bytes).digest()
  if (right.length !== stated.length || !timingSafeEqual(right, stated)) throw wrongKey()
  return decrypt(cipher, key, bytes) ?? refuse()
}

const wrongKey = () =>
  new SourceError(
    'A MAC of the file is not right: the key or passphrase is another one, or the file was changed. Nothing was taken over.',
  )

function refuse(): never {
  throw new SourceError('An encrypted value of the file is broken off. Nothing was taken over.')
}

type Cipher = 'aes-128-cbc' | 'aes-256-cbc'

/** The parts of an encrypted value (XML Encryption §5.2): initialisation vector and blocks in one. */
function encrypted(element: XmlElement, key: Uint8Array): { cipher: Cipher; bytes: Buffer } {
  const algorithm = only(element, 'EncryptionMethod', xenc)?.attributes.get('Algorithm') ?? ''
  const cipher = ciphers.get(algorithm)
  if (cipher === undefined)
    throw new SourceError('The file is encrypted otherwise than by AES-128-CBC or AES-256-CBC.')
  if (cipher.keyBytes !== key.length)
    throw new SourceError(`The key has ${8 * key.length} bits, and the file wants ${8 * cipher.keyBytes}.`)
  const bytes = readBase64(textOf(only(only(element, 'CipherData', xenc), 'CipherValue', xenc)))
  if (bytes === undefined || bytes.length < 2 * BLOCK || bytes.length % BLOCK !== 0) return refuse()
  return { cipher: cipher.name, bytes }
}

/** What was encrypted, without its padding, of which XML Encryption fixes the last byte only; `undefined` when that is none. */
function decrypt(cipher: Cipher, key: Uint8Array, bytes: Buffer): Buffer | undefined {
  const opening = createDecipheriv(cipher, key, bytes.subarray(0, BLOCK)).setAutoPadding(false)
  const padded = Buffer.concat([opening.update(bytes.subarray(BLOCK)), opening.final()])
  const padding = padded.at(-1) ?? 0
  return padding >= 1 && padding <= BLOCK ? padded.subarray(0, -padding) : undefined
}
