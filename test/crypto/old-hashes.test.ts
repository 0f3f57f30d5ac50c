import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createPasswordHasher } from '../../src/crypto/password-hasher.ts'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import { hashFormat, isWeakHash, oldHashProblem, readOldHash } from '../../src/domain/password/old-hash.ts'

const hasher = createPasswordHasher({
  parameters: { memoryKib: 64, passes: 1, parallelism: 1 },
  threads: 1,
  queue: 10,
  deadline: 60,
})

async function opens(hash: string, password: string): Promise<boolean> {
  using turn = hasher.enter() ?? assert.fail('there was no place')
  return turn.verify(hash as PasswordHash, password)
}

const password = 'Käse und Brot, 7 Monde'

/** What Django 5.2 made of that password, by each of its hashers; the prefixes that readers drop are dropped. */
const djangoHashes = {
  'pbkdf2-sha256':
    'pbkdf2_sha256$1000000$fr7aWqwSjz2QkHcLPzuKDb$podB8d/avjsplrGKGl1hG8b+Gy2cu3bCpT2HVkjEvx0=',
  'pbkdf2-sha1': 'pbkdf2_sha1$1000000$PMM1SPehYHxsL7NmPwTFi8$njJAIwDWTwDdwRXrGupLtTXJLBc=',
  argon2id:
    '$argon2id$v=19$m=102400,t=2,p=8$V0d6N1BScHhoUW51U0cyb1BJczlXTA$7vg4gZOshem4IVrKLNpIrFcI8KJk3RUIE1OgJdxfhyc',
  'bcrypt-sha256': 'bcrypt_sha256$$2b$12$86ay/5JzRdHjpZf92aAX3.2RHKKNCHL2CY2oQ.qvDCcCzPy7AufvO',
  bcrypt: '$2b$12$y6j.R150hKuXckV7QORJVeQpAlMiA7bIb.KP9px3TYel8vZ4A/5qG',
  scrypt:
    'scrypt$16384$zWQZOS3oZlM5SfemKbu2zp$8$5$RbaKV1oJOR9s0d3buNz8l/caEXMqVU5Hq8tEiLgs8oO69sed3in8McDlVMqVfhyglswqmGEdNyhzCqRVYCXIPw==',
  md5: 'md5$EwXvxPwl4Tm8cWtnYEYH30$75b24a250317e08cd7afe235045a50a9',
} as const

const htpasswd = (flags: string, typed: string): string => {
  const line = execFileSync('htpasswd', ['-ni', `-${flags}`, 'u'], { input: typed, encoding: 'utf8' })
  return line.trim().slice('u:'.length)
}

const openssl = (flag: string, salt: string, typed: string): string =>
  execFileSync('openssl', ['passwd', flag, '-salt', salt, '-stdin'], {
    input: typed,
    encoding: 'utf8',
  }).trim()

describe('hashes of other programs', () => {
  for (const [format, hash] of Object.entries(djangoHashes)) {
    it(`opens to the password of a ${format} hash of Django, and to no other`, async () => {
      assert.equal(oldHashProblem(hash), undefined)
      assert.equal(hashFormat(hash as PasswordHash), format)
      assert.equal(await opens(hash, password), true)
      assert.equal(await opens(hash, `${password} `), false)
      assert.equal(await opens(hash, ''), false)
    })
  }

  for (const [format, flags, typed] of [
    ['bcrypt', 'BC5', password],
    ['apr1', 'm', password],
    ['unsalted sha1', 's', password],
    ['sha256-crypt', '2', password],
    ['sha512-crypt', '5', password],
  ] as const) {
    it(`opens to the password of a ${format} hash of htpasswd`, async () => {
      const hash = flags === 'BC5' ? htpasswdBcrypt(typed) : htpasswd(flags, typed)
      assert.equal(oldHashProblem(hash), undefined)
      assert.equal(hashFormat(hash as PasswordHash), format)
      assert.equal(await opens(hash, typed), true)
      assert.equal(await opens(hash, `${typed}x`), false)
    })
  }

  it('makes the same of passwords of any length, with any salt and rounds, as OpenSSL does', async () => {
    const salts = ['a', 'abcdefgh', './Zz09']
    const lengths = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 200]
    for (const length of lengths) {
      const typed = 'Zaunkönig-7!'.repeat(20).slice(0, length)
      const salt = salts[length % salts.length] ?? 'a'
      for (const flag of ['-1', '-apr1', '-5', '-6']) {
        const salted = flag === '-6' ? `rounds=${1000 + length * 7}$${salt}` : salt
        const hash = openssl(flag, salted, typed)
        assert.equal(await opens(hash, typed), true, `${flag} ${length}`)
        assert.equal(await opens(hash, `${typed}.`), false, `${flag} ${length}`)
      }
    }
  })

  it('takes the password as the other program did, and in NFC when a browser sends it so', async () => {
    const decomposed = 'Ka\u0308se'
    const hash = htpasswd('m', decomposed)
    assert.equal(await opens(hash, decomposed), true)
    assert.equal(await opens(hash, 'K\u00e4se'), false)
    assert.equal(await opens(htpasswd('m', 'K\u00e4se'), decomposed), true)
  })

  it('says which of them are weak', () => {
    const { argon2id, bcrypt, md5 } = djangoHashes
    assert.deepEqual([argon2id, bcrypt, md5, htpasswd('s', 'x'), htpasswd('m', 'x')].map(isWeakHash), [
      false,
      false,
      true,
      true,
      true,
    ])
  })

  it('refuses what would take too long or too much memory, and does not try it', async () => {
    const salt = 'a'.repeat(22)
    const costly = [
      `pbkdf2_sha256$999999999$${salt}$${Buffer.alloc(32).toString('base64')}`,
      `scrypt$1048576$${salt}$8$1$${Buffer.alloc(64).toString('base64')}`,
      `scrypt$2$${salt}$9999$9999$${Buffer.alloc(64).toString('base64')}`,
      `$2b$31$${'a'.repeat(53)}`,
      `$6$rounds=99999999$salt$${'a'.repeat(86)}`,
      `$argon2i$v=19$m=4194304,t=1,p=1$${salt}$${salt}`,
      `$argon2id$v=19$m=4194304,t=1,p=1$${salt}$${salt}`,
    ]
    for (const hash of costly) {
      assert.equal(oldHashProblem(hash), 'too-costly', hash)
      assert.equal(await opens(hash, 'x'), false)
    }
  })

  it('takes nothing for a hash that is none', async () => {
    const none = [
      '',
      '!',
      '!abc',
      'plain text',
      'rqXexS6ZhobKA',
      '*0',
      'pbkdf2_sha256$0$salt$AAAA',
      'pbkdf2_sha512$1$salt$AAAA',
      `pbkdf2_sha256$1$s$${'A'.repeat(20_000)}`,
      `scrypt$3$salt$8$1$${Buffer.alloc(64).toString('base64')}`,
      '$2b$12$short',
      '$2x$05$hYDM6CkBXewo7OBSeIs1TuK3wm7XLSwcfGLLhKK8ICFuJau.nVoMe',
      `$6$rounds=10$salt$${'a'.repeat(86)}`,
      'argon2$argon2id$v=19$m=1,t=1,p=1$a$b',
      '{SHA}short',
      'md5$salt$XYZ',
    ]
    for (const text of none) {
      assert.equal(oldHashProblem(text), 'unknown-format', text.slice(0, 80))
      assert.equal(await opens(text, 'x'), false)
    }
  })

  it('reads any text without a fault, and checks nothing of a cut or changed hash (FT-FUZZ-5)', async () => {
    const real = [...Object.values(djangoHashes), htpasswd('m', 'x'), htpasswd('5', 'x'), htpasswd('s', 'x')]
    const mutated = fc
      .tuple(fc.constantFrom(...real), fc.nat(120), fc.nat(3), fc.string({ unit: 'binary', maxLength: 4 }))
      .map(([hash, at, cut, text]) => hash.slice(0, at) + text + hash.slice(at + cut))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' })), (text) => {
        const problem = oldHashProblem(text)
        assert.ok(problem === undefined || problem === 'unknown-format' || problem === 'too-costly')
        assert.ok(readOldHash(text) === undefined || problem !== 'unknown-format')
      }),
      { numRuns: 2000 },
    )
  })

  it('believes nothing that a decoy says, and works on it all the same', async () => {
    using turn = hasher.enter() ?? assert.fail('there was no place')
    const decoy = djangoHashes['pbkdf2-sha1'] as string as PasswordHash
    assert.equal(await turn.verify(undefined, password, decoy), false)
    assert.equal(await turn.verify('damaged' as PasswordHash, password, decoy), false)
    const ownCosts: number[] = []
    for (let run = 0; run < 5; run++) ownCosts.push(await msOf(() => turn.verify(undefined, password)))
    const ownCost = Math.min(...ownCosts)
    const decoyCost = await msOf(() => turn.verify(undefined, password, decoy))
    // A million rounds against one pass over 64 KiB.
    assert.ok(decoyCost > 10 * ownCost, `${decoyCost} ms against ${ownCost} ms`)
  })
})

function htpasswdBcrypt(typed: string): string {
  return execFileSync('htpasswd', ['-niB', '-C', '5', 'u'], { input: typed, encoding: 'utf8' })
    .trim()
    .slice('u:'.length)
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
