import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { type KeyFile, KeyFileError, readKeyFile } from './key-file.ts'

/** What a sealed value belongs to; a value moved to another row does not open (SEC-OTP-9). */
export type SealContext =
  | { readonly purpose: 'otp-key'; readonly userId: string; readonly deviceId: string }
  | { readonly purpose: 'signing-key'; readonly keyId: string }

/** Seals secrets for the store with AES-256-GCM and opens them again. */
export interface Sealer {
  seal(secret: Uint8Array, context: SealContext): string
  /** Throws when the value was changed, belongs elsewhere, or its key is gone. */
  open(sealed: string, context: SealContext): Uint8Array
  /** Whether the value opens, for a check of everything that is stored. */
  opens(sealed: string, context: SealContext): boolean
  /** The id of the key that a sealed value needs. */
  keyIdOf(sealed: string): string
  /** The key that new values are sealed with; notices when the key file was rotated. */
  currentKeyId(): string
  /** Tells key files apart without telling a key; stays the same through rotations. */
  fingerprint(): string
  /** HMAC-SHA-256 of a name in base64url, so that the store does not hold what people typed by mistake. */
  hashName(name: string): string
  /** HMAC-SHA-256 in base64url under a key for this use alone, which stays the same through rotations. */
  keyedHash(use: KeyedUse, text: string): string
}

/** What a keyed hash is for. */
export type KeyedUse = 'code-window' | 'decoy' | 'imported-code' | 'imported-password'

/** A sealed value does not open. */
export class SealError extends Error {
  override readonly name = 'SealError'
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

export function createSealer(first: KeyFile): Sealer {
  let file = first
  let derived = new Map<string, Buffer>()

  function reloadIfChanged(): void {
    const stat = statSync(file.path, { throwIfNoEntry: false })
    if (stat === undefined || `${stat.ino}:${stat.mtimeMs}:${stat.size}` === file.version) return
    const next = readKeyFile(file.path)
    if (next === undefined) return
    file = next
    derived = new Map()
  }

  /** Keys are used for one purpose each (HKDF, RFC 5869). */
  function keyFor(id: string, purpose: string): Buffer | undefined {
    const name = `${id}:${purpose}`
    const known = derived.get(name)
    if (known !== undefined) return known
    const master = file.keys.get(id)
    if (master === undefined) return undefined
    const key = Buffer.from(hkdfSync('sha256', master, '', `watchword ${purpose}`, 32))
    derived.set(name, key)
    return key
  }

  /** Of the key that is not rotated, because what was hashed cannot be hashed anew. */
  function hashingKey(use: KeyedUse): Buffer {
    const name = `:${use}`
    const known = derived.get(name)
    if (known !== undefined) return known
    const key = Buffer.from(hkdfSync('sha256', file.nameKey, '', `watchword ${use}`, 32))
    derived.set(name, key)
    return key
  }

  const sealer: Sealer = {
    currentKeyId() {
      reloadIfChanged()
      return file.currentKeyId
    },
    seal(secret, context) {
      reloadIfChanged()
      const id = file.currentKeyId
      const key = keyFor(id, context.purpose)
      if (key === undefined) throw new KeyFileError(`${file.path} lacks its current key.`)
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(associatedData(id, context))
      const text = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
      return `v1.${id}.${text.toString('base64url')}`
    },
    open(sealed, context) {
      const [version, id, text, ...rest] = sealed.split('.')
      if (version !== 'v1' || id === undefined || text === undefined || rest.length > 0) {
        throw new SealError('A sealed value is damaged.')
      }
      if (!file.keys.has(id)) reloadIfChanged()
      const key = keyFor(id, context.purpose)
      if (key === undefined)
        throw new SealError(`The key ${id} that a value was sealed with is not in the key file.`)
      const bytes = Buffer.from(text, 'base64url')
      // The decoder passes over bits and characters that say nothing; a value that has them was changed.
      if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) {
        throw new SealError('A sealed value is damaged.')
      }
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(associatedData(id, context))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
      } catch (cause) {
        throw new SealError('A sealed value was changed or belongs elsewhere.', { cause })
      }
    },
    opens(sealed, context) {
      try {
        sealer.open(sealed, context)
        return true
      } catch (error) {
        if (error instanceof SealError) return false
        throw error
      }
    },
    keyIdOf: (sealed) => sealed.split('.', 2)[1] ?? '',
    // No name can be this text, for none holds a control character.
    fingerprint: () => sealer.hashName('\u0000fingerprint'),
    hashName: (name) => createHmac('sha256', file.nameKey).update(name).digest('base64url'),
    keyedHash: (use, text) => createHmac('sha256', hashingKey(use)).update(text).digest('base64url'),
  }
  return sealer
}

function associatedData(keyId: string, context: SealContext): Buffer {
  const { purpose } = context
  const place = purpose === 'otp-key' ? [context.userId, context.deviceId] : [context.keyId]
  return Buffer.from(JSON.stringify([purpose, keyId, ...place]))
}
