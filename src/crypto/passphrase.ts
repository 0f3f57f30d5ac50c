import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto'

/** Shortest passphrase that seals anything, in characters: what it protects can be guessed at offline. */
export const PASSPHRASE_MINIMUM = 12

/** The passphrase is another one, or what it sealed was changed. */
export class PassphraseError extends Error {
  override readonly name = 'PassphraseError'
}

const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** 128 MiB and about half a second; part of the format, so that no file decides what reading it costs (RFC 7914). */
const COST: ScryptOptions = { N: 2 ** 17, r: 8, p: 1, maxmem: 192 * 1024 * 1024 }

/** Seals a text by a passphrase: scrypt and AES-256-GCM. The passphrase is taken in Unicode form NFC. */
export async function sealByPassphrase(text: string, passphrase: string): Promise<string> {
  return (await passphraseSealer(passphrase))(text)
}

/** As `sealByPassphrase`, for many texts: they share one salt, so that scrypt runs once. */
export async function passphraseSealer(passphrase: string): Promise<(text: string) => string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await keyOf(passphrase, salt)
  return (text) => {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const sealed = [salt, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return `p1.${Buffer.concat(sealed).toString('base64url')}`
  }
}

/**
 * Opens what `sealByPassphrase` sealed.
 *
 * @throws PassphraseError for any other passphrase, and for whatever was changed.
 */
export async function openByPassphrase(sealed: string, passphrase: string): Promise<string> {
  const [version, text = '', ...rest] = sealed.split('.')
  const bytes = Buffer.from(text, 'base64url')
  const wrong = () => new PassphraseError('The passphrase is another one, or the backup was changed.')
  if (version !== 'p1' || rest.length > 0 || bytes.length < SALT_BYTES + NONCE_BYTES + TAG_BYTES)
    throw wrong()
  const key = await keyOf(passphrase, bytes.subarray(0, SALT_BYTES))
  const nonce = bytes.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const opened = [decipher.update(bytes.subarray(SALT_BYTES + NONCE_BYTES, -TAG_BYTES)), decipher.final()]
    return Buffer.concat(opened).toString('utf8')
  } catch {
    throw wrong()
  }
}

const keyOf = (passphrase: string, salt: Uint8Array): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, COST, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
