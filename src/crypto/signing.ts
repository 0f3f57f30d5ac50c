import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { KEYS_REMEMBERED, type PublicKey, type SigningKey } from '../domain/assertion.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Sealer } from './sealer.ts'

/** Signs what applications are to believe, and knows the keys of this process. */
export interface Signing {
  /** A new key pair for ES256 (RFC 7518 §3.4), its private half sealed. */
  newKey(): Pick<SigningKey, 'id' | 'publicKey' | 'sealedKey'>
  /** A JSON Web Token in its compact form (RFC 7515 §3.1). Throws SealError when the private half does not open. */
  sign(key: Pick<SigningKey, 'id' | 'sealedKey'>, token: { type: string; claims: object }): string
  /** The keys that were read last, unless that is `KEYS_REMEMBERED` ago. */
  remembered(now: UnixSeconds): readonly SigningKey[] | undefined
  remember(keys: readonly SigningKey[], now: UnixSeconds): void
}

export function createSigning(sealer: Sealer): Signing {
  let read: { readonly keys: readonly SigningKey[]; readonly at: UnixSeconds } | undefined
  let opened: { readonly id: string; readonly privateKey: KeyObject } | undefined

  function privateKeyOf({ id, sealedKey }: Pick<SigningKey, 'id' | 'sealedKey'>): KeyObject {
    if (opened?.id === id) return opened.privateKey
    const der = Buffer.from(sealer.open(sealedKey, { purpose: 'signing-key', keyId: id }))
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    opened = { id, privateKey }
    return privateKey
  }

  return {
    newKey() {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
      const publicKey: PublicKey = { kty: 'EC', crv: 'P-256', x, y }
      const id = thumbprint(publicKey)
      const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
      const sealedKey = sealer.seal(der, { purpose: 'signing-key', keyId: id })
      return { id, publicKey, sealedKey }
    },
    sign(key, { type, claims }) {
      const privateKey = privateKeyOf(key)
      const header = { alg: 'ES256', kid: key.id, typ: type }
      const signed = `${encoded(header)}.${encoded(claims)}`
      // Of the calling thread: one of libuv's would wait behind passwords that are hashed there.
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${signed}.${signature.toString('base64url')}`
    },
    remembered: (now) =>
      read !== undefined && Math.abs(now - read.at) < KEYS_REMEMBERED ? read.keys : undefined,
    remember(keys, now) {
      read = { keys, at: now }
    },
  }
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** RFC 7638 §3: the required members in alphabetical order. */
function thumbprint({ crv, kty, x, y }: PublicKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}
