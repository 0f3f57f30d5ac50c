import type { PasswordHash } from './hash-parameters.ts'
import { readOldHash } from './old-hash.ts'

/**
 * A stored hash as Apache reads it in a password file (`htpasswd`), or `undefined` where Apache cannot check it.
 *
 * It knows bcrypt, `$apr1$` and `{SHA}` by itself, and leaves the rest to crypt(3), which knows `$1$`, `$5$` and `$6$`.
 */
export function htpasswdHash(hash: PasswordHash): string | undefined {
  const old = readOldHash(hash)
  switch (old?.kind) {
    case 'bcrypt':
      if (old.preHashed) return undefined
      // Two names of one algorithm, of which Apache has the second.
      return old.text.replace(/^\$2b\$/, '$2y$')
    case 'md5-crypt':
    case 'sha-crypt':
      return hash
    case 'digest':
      return old.digest === 'sha1' && old.salt === '' ? `{SHA}${old.hash.toString('base64')}` : undefined
    case 'argon2':
    case 'pbkdf2':
    case 'scrypt':
    case undefined:
      return undefined
  }
}
