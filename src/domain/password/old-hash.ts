import type { HashParameters, PasswordHash } from './hash-parameters.ts'

/** A password hash that another program made, taken apart; it is checked as it is until its user signs in once. */
export type OldHash =
  /** Any variant of argon2 but ours, in PHC string format (RFC 9106). */
  | { readonly kind: 'argon2'; readonly cost: HashParameters }
  /** Django's `pbkdf2_sha256$iterations$salt$hash` (RFC 8018 §5.2). */
  | {
      readonly kind: 'pbkdf2'
      readonly digest: 'sha256' | 'sha1'
      readonly iterations: number
      readonly salt: string
      readonly hash: Buffer
    }
  /** Django's `scrypt$n$salt$r$p$hash` (RFC 7914). */
  | {
      readonly kind: 'scrypt'
      readonly n: number
      readonly r: number
      readonly p: number
      readonly salt: string
      readonly hash: Buffer
    }
  /** `$2y$cost$…`; `preHashed` is Django's `bcrypt_sha256$`, which hashes the hexadecimal SHA-256 of the password. */
  | {
      readonly kind: 'bcrypt'
      readonly cost: number
      readonly preHashed: boolean
      readonly text: string
    }
  /** The MD5 of crypt(3), `$1$`, and Apache's, `$apr1$`; always a thousand rounds. */
  | {
      readonly kind: 'md5-crypt'
      readonly magic: '$1$' | '$apr1$'
      readonly salt: string
      readonly hash: string
    }
  /** The SHA-256 and SHA-512 of crypt(3), `$5$` and `$6$`. */
  | {
      readonly kind: 'sha-crypt'
      readonly digest: 'sha256' | 'sha512'
      readonly rounds: number
      readonly salt: string
      readonly hash: string
    }
  /** One digest of salt and password: Apache's `{SHA}`, Django's `md5$salt$hex` and `sha1$salt$hex`. */
  | {
      readonly kind: 'digest'
      readonly digest: 'md5' | 'sha1'
      readonly salt: string
      readonly hash: Buffer
    }

/** Why a hash cannot be taken over. */
export type OldHashProblem = 'unknown-format' | 'too-costly'

/**
 * The most that a hash from elsewhere may ask for, so that none is a bomb of memory or time.
 *
 * Each is some two seconds of one core at most: pbkdf2 five times, scrypt three times, and bcrypt four times what
 * Django asks for in its newest release.
 */
const most = {
  argon2: { memoryKib: 1 << 18, passes: 10, parallelism: 16 },
  pbkdf2Iterations: 5_000_000,
  /** Memory is 128·n·r bytes, work is n·r·p. */
  scryptMemory: 128 << 20,
  scryptWork: 1 << 21,
  bcryptCost: 14,
  shaCryptRounds: 100_000,
} as const

const base64 = '[A-Za-z0-9+/]+={0,2}'
const crypt64 = '[./A-Za-z0-9]'
// What a salt may be: Django lets a site write its own, which has no dollar sign.
const djangoSalt = '[\\x21-\\x23\\x25-\\x7e]{0,128}'

const argon2 =
  /^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{22,172}$/
const pbkdf2 = new RegExp(`^pbkdf2_(sha256|sha1)\\$(\\d{1,9})\\$(${djangoSalt})\\$(${base64})$`)
const scrypt = new RegExp(`^scrypt\\$(\\d{1,9})\\$(${djangoSalt})\\$(\\d{1,4})\\$(\\d{1,4})\\$(${base64})$`)
const bcrypt = new RegExp(`^(bcrypt_sha256\\$)?(\\$2[aby]\\$(\\d\\d)\\$${crypt64}{53})$`)
const md5Crypt = new RegExp(`^(\\$1\\$|\\$apr1\\$)(${crypt64}{0,8})\\$(${crypt64}{22})$`)
const shaCrypt = new RegExp(
  `^\\$(?:5\\$(?:rounds=(\\d{1,9})\\$)?([^$:\\s]{0,16})\\$(${crypt64}{43})|6\\$(?:rounds=(\\d{1,9})\\$)?([^$:\\s]{0,16})\\$(${crypt64}{86}))$`,
)
const apacheSha = /^\{SHA\}([A-Za-z0-9+/]{27}=)$/
const djangoDigest = new RegExp(
  `^(?:(md5)\\$(${djangoSalt})\\$([0-9a-f]{32})|(sha1)\\$(${djangoSalt})\\$([0-9a-f]{40}))$`,
)

/** Reads a hash of another program; `undefined` for ours, and for what is none that can be checked. */
export function readOldHash(text: string): OldHash | undefined {
  // Longer than any of them; nothing below is asked to look at a text of megabytes.
  if (text.length > 512 || text.startsWith('$argon2id$')) return undefined
  return (
    readArgon2(text) ??
    readPbkdf2(text) ??
    readScrypt(text) ??
    readBcrypt(text) ??
    readCrypt(text) ??
    readDigest(text)
  )
}

/**
 * Says why a hash from elsewhere cannot be taken over, or gives `undefined` when it can.
 *
 * The cost it asks for is held to bounds; ours is none that the settings could not ask for.
 */
export function oldHashProblem(text: string): OldHashProblem | undefined {
  const hash = readOldHash(text) ?? readArgon2(text)
  if (hash === undefined) return 'unknown-format'
  return isBounded(hash) ? undefined : 'too-costly'
}

/** Whether checking it stays within bounds. */
export function isBounded(hash: OldHash): boolean {
  switch (hash.kind) {
    case 'argon2': {
      const { memoryKib, passes, parallelism } = hash.cost
      return (
        memoryKib <= most.argon2.memoryKib &&
        passes <= most.argon2.passes &&
        parallelism <= most.argon2.parallelism
      )
    }
    case 'pbkdf2':
      return hash.iterations <= most.pbkdf2Iterations
    case 'scrypt':
      return 128 * hash.n * hash.r <= most.scryptMemory && hash.n * hash.r * hash.p <= most.scryptWork
    case 'bcrypt':
      return hash.cost <= most.bcryptCost
    case 'sha-crypt':
      return hash.rounds <= most.shaCryptRounds
    case 'md5-crypt':
    case 'digest':
      return true
  }
}

/** Whether whoever got hold of the hash would find most passwords behind it within hours. */
export function isWeakHash(text: string): boolean {
  const kind = readOldHash(text)?.kind
  return kind === 'digest' || kind === 'md5-crypt'
}

/**
 * Whether a hash that opens to a password tells all of it.
 *
 * bcrypt looks at 72 bytes: what was typed beyond them may be mistyped, and must not become the password by being
 * hashed anew.
 */
export function tellsWholePassword(text: string, password: string): boolean {
  const hash = readOldHash(text)
  return hash?.kind !== 'bcrypt' || hash.preHashed || Buffer.byteLength(password) <= 72
}

/** The format in a word, for a list. */
export function hashFormat(text: PasswordHash): string {
  const hash = readOldHash(text)
  if (hash === undefined) return 'argon2id'
  switch (hash.kind) {
    case 'pbkdf2':
      return `pbkdf2-${hash.digest}`
    case 'bcrypt':
      return hash.preHashed ? 'bcrypt-sha256' : 'bcrypt'
    case 'md5-crypt':
      return hash.magic === '$1$' ? 'md5-crypt' : 'apr1'
    case 'sha-crypt':
      return `${hash.digest}-crypt`
    case 'digest':
      return hash.salt === '' ? `unsalted ${hash.digest}` : hash.digest
    case 'argon2':
    case 'scrypt':
      return hash.kind
  }
}

function readArgon2(text: string): OldHash | undefined {
  const [, memoryKib, passes, parallelism] = argon2.exec(text) ?? []
  if (memoryKib === undefined) return undefined
  const cost = {
    memoryKib: Number(memoryKib),
    passes: Number(passes),
    parallelism: Number(parallelism),
  }
  // RFC 9106 §3.1: eight blocks a lane at least, and at least one pass.
  const isPossible = cost.passes >= 1 && cost.parallelism >= 1 && cost.memoryKib >= 8 * cost.parallelism
  return isPossible ? { kind: 'argon2', cost } : undefined
}

function readPbkdf2(text: string): OldHash | undefined {
  const [, digest, iterations, salt = '', encoded = ''] = pbkdf2.exec(text) ?? []
  if (digest !== 'sha256' && digest !== 'sha1') return undefined
  const hash = Buffer.from(encoded, 'base64')
  const isWhole = hash.length === (digest === 'sha256' ? 32 : 20) && Number(iterations) >= 1
  return isWhole ? { kind: 'pbkdf2', digest, iterations: Number(iterations), salt, hash } : undefined
}

function readScrypt(text: string): OldHash | undefined {
  const [, n, salt = '', r, p, encoded = ''] = scrypt.exec(text) ?? []
  if (n === undefined) return undefined
  const cost = { n: Number(n), r: Number(r), p: Number(p) }
  const hash = Buffer.from(encoded, 'base64')
  // RFC 7914 §2: n is a power of two above 1.
  const isPossible = cost.n > 1 && Number.isInteger(Math.log2(cost.n)) && cost.r >= 1 && cost.p >= 1
  return isPossible && hash.length === 64 ? { kind: 'scrypt', ...cost, salt, hash } : undefined
}

function readBcrypt(text: string): OldHash | undefined {
  const [, preHashed, encoded, cost] = bcrypt.exec(text) ?? []
  if (encoded === undefined || Number(cost) < 4 || Number(cost) > 31) return undefined
  return { kind: 'bcrypt', cost: Number(cost), preHashed: preHashed !== undefined, text: encoded }
}

function readCrypt(text: string): OldHash | undefined {
  const [, magic, md5Salt = '', md5 = ''] = md5Crypt.exec(text) ?? []
  if (magic === '$1$' || magic === '$apr1$') return { kind: 'md5-crypt', magic, salt: md5Salt, hash: md5 }
  const found = shaCrypt.exec(text)
  if (found === null) return undefined
  const [, rounds256, salt256 = '', hash256, rounds512, salt512 = '', hash512 = ''] = found
  const rounds = Number(rounds256 ?? rounds512 ?? 5000)
  // What crypt(3) makes of fewer differs between systems.
  if (rounds < 1000) return undefined
  return hash256 === undefined
    ? { kind: 'sha-crypt', digest: 'sha512', rounds, salt: salt512, hash: hash512 }
    : { kind: 'sha-crypt', digest: 'sha256', rounds, salt: salt256, hash: hash256 }
}

function readDigest(text: string): OldHash | undefined {
  const [, sha] = apacheSha.exec(text) ?? []
  if (sha !== undefined) return { kind: 'digest', digest: 'sha1', salt: '', hash: Buffer.from(sha, 'base64') }
  const [, md5, md5Salt = '', md5Hex = '', sha1, sha1Salt = '', sha1Hex = ''] = djangoDigest.exec(text) ?? []
  if (md5 !== undefined)
    return { kind: 'digest', digest: 'md5', salt: md5Salt, hash: Buffer.from(md5Hex, 'hex') }
  if (sha1 !== undefined)
    return { kind: 'digest', digest: 'sha1', salt: sha1Salt, hash: Buffer.from(sha1Hex, 'hex') }
  return undefined
}
