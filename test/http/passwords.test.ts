import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setPassword } from '../../src/actions/set-password.ts'
import { expectStatus, PASSWORD, startWorld, type World } from '../world.ts'
import { atOnce, errorOf, halfSignedIn, isSignedIn, operator, signIn, stranger, tally } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const attempt = (username: string, password: string, of = world) =>
  stranger(of).post('/auth/login/', { username, password })
const NEXT = 'a new and longer password'

const hashOf = async (of: World, username: string) => {
  const { hash } = await of.services.db
    .selectFrom('password_hash')
    .innerJoin('user', 'user.id', 'password_hash.user_id')
    .select('hash')
    .where('username', '=', username)
    .executeTakeFirstOrThrow()
  return hash
}

describe('a password', () => {
  it('is the same in either form of composition, NFC and NFD (SEC-PW-4)', async () => {
    const [nfc, nfd] = ['Grüße aus Köln, café'.normalize('NFC'), 'Grüße aus Köln, café'.normalize('NFD')]
    assert.notEqual(nfc, nfd)
    await world.user('composed', { password: nfc })
    await world.user('decomposed', { password: nfd })
    for (const username of ['composed', 'decomposed']) {
      assert.equal((await attempt(username, nfc)).status, 200)
      assert.equal((await attempt(username, nfd)).status, 200)
    }
  })

  it('is compared as it is otherwise: no case, trimming or look-alikes (SEC-PW-4)', async () => {
    const password = 'Office ﬁne ½ print Ångström'
    await world.user('exact', { password })
    const others = [
      password.toLowerCase(),
      password.toUpperCase(),
      ` ${password}`,
      `${password} `,
      `${password}\n`,
      password.normalize('NFKC'),
      password.normalize('NFKD'),
      password.replaceAll(' ', '\u00a0'),
      password.replaceAll(' ', '  '),
      `${password}\u200b`,
    ]
    for (const other of others) {
      assert.equal((await attempt('exact', other)).status, 401, other)
      await world.services.db.deleteFrom('attempts').execute()
    }
    assert.equal((await attempt('exact', password)).status, 200)
  })

  it('does not expire in ten years (SEC-PW-8)', async () => {
    const user = await world.enrolled('patient')
    const at = world.clock.now()
    world.clock.advance(10 * 365 * 86_400)
    assert.equal(await isSignedIn(await signIn(world, user)), true)
    world.clock.set(at)
  })

  it('that must be changed leads to nothing else, by either way in (SEC-PW-8)', async () => {
    const first = await world.enrolled('due', { mustChangePassword: true })
    assert.equal(await isSignedIn(first.browser), false)
    const atOnce = stranger(world)
    const fields = { username: 'due', password: PASSWORD, otp: first.phone.code() }
    const reply = await atOnce.post('/auth/authenticate/', fields)
    assert.deepEqual([reply.status, reply.body.next], [200, 'new-password'])
    assert.equal(await isSignedIn(atOnce), false)
    assert.equal((await atOnce.post('/auth/register-secret/')).status, 401)

    const unchanged = await atOnce.post('/auth/password/', { new_password: PASSWORD })
    assert.deepEqual(errorOf(unchanged), [400, 'password_unchanged'])
    const short = await atOnce.post('/auth/password/', { new_password: 'short' })
    assert.deepEqual(errorOf(short), [400, 'password_too_short'])
    const changed = await expectStatus(atOnce.post('/auth/password/', { new_password: NEXT }), 200)
    assert.deepEqual(
      [changed.body.next, changed.body.message, changed.body.verified],
      ['done', 'Password changed', true],
    )
    assert.equal(await isSignedIn(atOnce), true)
    assert.equal((await attempt('due', PASSWORD)).status, 401)
    assert.equal((await attempt('due', NEXT)).body.next, 'totp')
  })

  it('is not changed to itself, and asking for that ends nothing and costs nothing (SEC-PW-7)', async () => {
    const password = 'Grüße aus Köln, café'
    const { browser, username } = await world.enrolled('same', { password })
    const hash = await hashOf(world, username)
    for (const form of Array(10).fill(['NFC', 'NFD']).flat()) {
      const fields = { current_password: password, new_password: password.normalize(form) }
      assert.deepEqual(errorOf(await browser.post('/auth/password/', fields)), [400, 'password_unchanged'])
    }
    const wrong = { current_password: NEXT, new_password: NEXT }
    assert.deepEqual(errorOf(await browser.post('/auth/password/', wrong)), [400, 'wrong_password'])
    assert.equal(await hashOf(world, username), hash)
    assert.equal(await isSignedIn(browser), true)
    const set = await setPassword(world.services, { username, password, mustChange: true }, operator)
    assert.deepEqual(set, { kind: 'unsuitable', problem: { kind: 'unchanged' } })
    assert.equal(await isSignedIn(browser), true)
  })

  it('that must be changed is changed once, by however many requests at once', async () => {
    const { browser } = await world.enrolled('once', { mustChangePassword: true })
    const copies = Array.from({ length: 10 }, () => browser.clone())
    const replies = await atOnce(10, (index) =>
      (copies[index] ?? browser).post('/auth/password/', { new_password: `${NEXT} ${index}` }),
    )
    assert.deepEqual(tally(replies), { 200: 1, 401: 9 })
    const winner = replies.findIndex(({ status }) => status === 200)
    assert.equal((await attempt('once', `${NEXT} ${winner}`)).status, 200)
  })

  it('that the operator set anew leaves the second factor in place (SEC-PW-15)', async () => {
    const user = await world.enrolled('reset')
    const set = { username: 'reset', password: NEXT, mustChange: true }
    assert.equal((await setPassword(world.services, set, operator)).kind, 'changed')
    assert.equal(await isSignedIn(user.browser), false)
    assert.equal((await attempt('reset', PASSWORD)).status, 401)
    const browser = stranger(world)
    const login = await browser.post('/auth/login/', { username: 'reset', password: NEXT })
    assert.equal(login.body.next, 'totp')
    assert.equal((await browser.post('/auth/register-secret/')).status, 401)
    const proven = await browser.post('/auth/verify/', { otp: user.phone.code() })
    assert.equal(proven.body.next, 'new-password')
  })

  it('of a user without one opens nothing, not even an empty one', async () => {
    await world.user('none', { password: undefined })
    for (const password of [PASSWORD, 'undefined', 'null', ' ']) {
      assert.equal((await attempt('none', password)).status, 401)
    }
    assert.equal((await attempt('none', '')).status, 400)
  })

  it('is changed by two requests at once to one of the two (FT-RACE-4)', async () => {
    const { browser } = await world.enrolled('torn')
    const copies = [browser.clone(), browser.clone()]
    const replies = await atOnce(2, (index) =>
      (copies[index] ?? browser).post('/auth/password/', {
        current_password: PASSWORD,
        new_password: `${NEXT} ${index}`,
      }),
    )
    assert.equal(replies.filter(({ status }) => status === 200).length, 1)
    const winner = replies.findIndex(({ status }) => status === 200)
    assert.equal((await attempt('torn', `${NEXT} ${winner}`)).status, 200)
    assert.equal((await attempt('torn', `${NEXT} ${1 - winner}`)).status, 401)
  })
})

describe('a password hash', () => {
  it('is argon2id with 19 MiB and 2 passes, 16 bytes of salt and 32 of hash (SEC-PW-11)', async () => {
    const real = await startWorld({ realHashes: true })
    await real.user('real')
    assert.match(await hashOf(real, 'real'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    assert.equal((await attempt('real', PASSWORD, real)).status, 200)
    assert.equal((await attempt('real', 'wrong', real)).status, 401)
    await real.close()
  })

  it('is renewed at the next sign-in when its cost was raised, and the password stays (SEC-PW-11)', async () => {
    const user = await world.enrolled('upgraded')
    await world.user('waiting')
    const cheap = await hashOf(world, 'upgraded')
    const { database, keyFile } = world.config
    const dearer = await startWorld({ config: { database, keyFile, password: { memoryKib: 64, passes: 3 } } })
    dearer.clock.set(world.clock.now())
    assert.equal((await attempt('upgraded', 'wrong', dearer)).status, 401)
    assert.equal(await hashOf(dearer, 'upgraded'), cheap)
    await signIn(dearer, { ...user, phone: user.phone }, stranger(dearer))
    const renewed = await hashOf(dearer, 'upgraded')
    assert.match(renewed, /^\$argon2id\$v=19\$m=64,t=3,p=1\$/)
    assert.equal((await attempt('upgraded', PASSWORD, dearer)).status, 200)
    assert.equal(await hashOf(dearer, 'upgraded'), renewed)
    // An upgrade is no change of the password: whoever is signed in stays so.
    assert.equal(await isSignedIn(user.browser), true)
    assert.match(await hashOf(dearer, 'waiting'), /m=8,t=1,/)
    await dearer.close()
  })
})

describe('when too many passwords are being checked (SEC-PW-16)', () => {
  it('one more is sent away with 503 and charged nothing, and sessions are served', async () => {
    const user = await world.enrolled('busy')
    const { hasher, db } = world.services
    const turns: Disposable[] = []
    for (let turn = hasher.enter(); turn !== undefined; turn = hasher.enter()) turns.push(turn)
    assert.ok(turns.length >= 64)
    const before = await db.selectFrom('attempts').selectAll().execute()
    const code = user.phone.code()
    const calls = [
      () => attempt('busy', PASSWORD),
      () => stranger(world).post('/auth/authenticate/', { username: 'busy', password: PASSWORD, otp: code }),
      () => user.browser.post('/auth/password/', { current_password: PASSWORD, new_password: NEXT }),
      () => user.browser.post('/auth/recovery-codes/'),
    ]
    for (const call of calls) {
      const reply = await call()
      assert.deepEqual([...errorOf(reply), reply.headers.get('retry-after')], [503, 'busy', '1'])
    }
    assert.equal(await isSignedIn(user.browser), true)
    assert.deepEqual(await db.selectFrom('attempts').selectAll().execute(), before)
    for (const turn of turns) turn[Symbol.dispose]()
    const half = await halfSignedIn(world, 'busy')
    assert.equal((await half.post('/auth/verify/', { otp: code })).status, 200)
  })

  it('a recovery code is sent away as well, and stays good', async () => {
    const { browser } = await world.enrolled('recovers')
    const [code] = (await browser.post('/auth/recovery-codes/')).body.recovery_codes
    const half = await halfSignedIn(world, 'recovers')
    const turns: Disposable[] = []
    const { hasher } = world.services
    for (let turn = hasher.enter(); turn !== undefined; turn = hasher.enter()) turns.push(turn)
    assert.deepEqual(errorOf(await half.post('/auth/verify/', { otp: code })), [503, 'busy'])
    for (const turn of turns) turn[Symbol.dispose]()
    assert.equal((await half.post('/auth/verify/', { otp: code })).status, 200)
  })

  it('a flood of real ones is answered, each with yes or with come again', async () => {
    const real = await startWorld({
      realHashes: true,
      config: { password: { hashThreads: 1, hashQueue: 2 }, throttle: { passwordFree: 100 } },
    })
    await real.user('flooded')
    const replies = await atOnce(12, () => attempt('flooded', PASSWORD, real))
    const { 200: right = 0, 503: later = 0 } = tally(replies)
    assert.equal(right + later, 12)
    assert.ok(right >= 3 && later >= 1, `${right} and ${later}`)
    assert.equal((await attempt('flooded', PASSWORD, real)).status, 200)
    await real.close()
  })
})

describe('half a surrogate pair', () => {
  it('is refused, because it would be hashed like any other broken character (SEC-PW-4)', async () => {
    const world = await startWorld()
    const reply = await world.browser().send('/auth/login/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"alice","password":"broken \\ud800 password"}',
    })
    assert.deepEqual([reply.status, reply.body.code], [400, 'invalid_request'])
    await world.close()
  })
})
