import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

describe('a user whose password hash was imported', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  const put = (id: UserId, hash: string) =>
    passwordHashes.put(world.services.db, id, {
      hash: hash as PasswordHash,
      mustChange: false,
      now: world.clock.now(),
    })
  const storedHash = async (id: UserId) => {
    const { hash } = await world.services.db
      .selectFrom('password_hash')
      .select('hash')
      .where('user_id', '=', id)
      .executeTakeFirstOrThrow()
    return hash
  }
  const login = (username: string, password: string) =>
    world.browser().post('/auth/login/', { username, password })

  it('signs in with the password as before, and from then on has one of argon2id (SEC-PW-11)', async () => {
    const made = {
      django: `pbkdf2_sha256$1000$salt$${pbkdf2Sync(PASSWORD, 'salt', 1000, 32, 'sha256').toString('base64')}`,
      apache: execFileSync('htpasswd', ['-nim', 'u'], { input: PASSWORD, encoding: 'utf8' }).trim().slice(2),
    }
    for (const [username, hash] of Object.entries(made)) {
      const id = await world.user(username)
      await put(id, hash)
      assert.equal((await login(username, `${PASSWORD}!`)).status, 401)
      assert.equal(await storedHash(id), hash)
      assert.equal((await login(username, PASSWORD)).status, 200)
      assert.match(await storedHash(id), /^\$argon2id\$/)
      assert.equal((await login(username, PASSWORD)).status, 200)
      assert.equal((await login(username, `${PASSWORD}!`)).status, 401)
    }
  })

  it('keeps a hash of bcrypt that does not tell the end of a long password', async () => {
    const long = `${PASSWORD} ${'and so on '.repeat(8)}`
    const hash = execFileSync('htpasswd', ['-niB', '-C', '4', 'u'], { input: long, encoding: 'utf8' })
      .trim()
      .slice(2)
    const id = await world.user('long')
    await put(id, hash)
    assert.equal((await login('long', `${long.slice(0, -1)}?`)).status, 200)
    assert.equal(await storedHash(id), hash)
    assert.equal((await login('long', long)).status, 200)
  })

  it('cannot sign in when the hash asks for more than the bounds allow', async () => {
    const id = await world.user('bomb')
    await put(id, `pbkdf2_sha256$999999999$salt$${Buffer.alloc(32).toString('base64')}`)
    assert.equal((await login('bomb', PASSWORD)).status, 401)
  })

  it('lends the cost of the hash to names of nobody, never the password (SEC-AUTH-6)', async () => {
    // Whoever the decoy is: every password is this one.
    for (let n = 0; n < 8; n++) await world.user(`decoy${n}`)
    const answers = await Promise.all(
      Array.from({ length: 4 }, async (_, n) => (await login(`nobody${n}`, PASSWORD)).status),
    )
    assert.deepEqual(answers, [401, 401, 401, 401])
  })
})
