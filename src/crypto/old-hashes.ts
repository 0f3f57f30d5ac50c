import { type BinaryLike, hash as digestOf, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import type { OldHash } from '../domain/password/old-hash.ts'
import { md5Crypt, shaCrypt } from './unix-crypt.ts'

const pbkdf2InPool = promisify(pbkdf2)
const scryptInPool = promisify<BinaryLike, BinaryLike, number, object, Buffer>(scrypt)

/** What the program that made it would have checked; argon2 of every variant is the binding's own to check. */
export type HashOfDigests = Exclude<OldHash, { kind: 'argon2' }>

/**
 * Whether a password belongs to the hash of another program.
 *
 * The password is taken as it was typed, as the other programs do, and in NFC if that is another text: a browser
 * may send it differently than it did when the hash was made.
 */
export async function matchesOldHash(old: HashOfDigests, typed: string): Promise<boolean> {
  let matches = false
  // Each spelling is tried whichever matches, so that the time tells nothing of the hash.
  for (const spelling of new Set([typed, typed.normalize('NFC')])) {
    if (await matchesBytes(old, Buffer.from(spelling))) matches = true
  }
  return matches
}

async function matchesBytes(old: HashOfDigests, password: Buffer): Promise<boolean> {
  switch (old.kind) {
    case 'pbkdf2':
      return equal(
        await pbkdf2InPool(password, old.salt, old.iterations, old.hash.length, old.digest),
        old.hash,
      )
    case 'scrypt': {
      const { n, r, p } = old
      // Node's own bound is below what Django asks for; ours was held before.
      const options = { N: n, r, p, maxmem: 128 * (n + p + 2) * r + 65_536 }
      return equal(await scryptInPool(password, old.salt, old.hash.length, options), old.hash)
    }
    case 'bcrypt':
      return verifyBcrypt(old.preHashed ? digestOf('sha256', password, 'hex') : password, old.text)
    case 'md5-crypt':
      return equalText(md5Crypt(password, old.salt, old.magic), old.hash)
    case 'sha-crypt':
      return equalText(await shaCrypt(password, old), old.hash)
    case 'digest':
      return equal(digestOf(old.digest, Buffer.concat([Buffer.from(old.salt), password]), 'buffer'), old.hash)
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)
const equalText = (a: string, b: string): boolean => equal(Buffer.from(a), Buffer.from(b))
