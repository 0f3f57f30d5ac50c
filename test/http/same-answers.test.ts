import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { disableUser } from '../../src/actions/disable-user.ts'
import { type Browser, type Enrolled, PASSWORD, type Reply, startWorld, type World } from '../world.ts'
import { operator, stranger, wrongCode } from './journeys.ts'

/** All of an answer that an attacker could compare; only what differs between any two answers is masked. */
function bytes({ status, headers, text }: Reply): string {
  const lines = [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name))
  return [status, ...lines.map((line) => line.join(': ')), '', text].join('\n')
}

const refusals = [
  'known',
  'nobody',
  'disabled',
  'no-password',
  'no.such.name.ever',
  'x'.repeat(256),
  '../..',
  'a b',
  '\0',
]

describe('to whoever has no password, all accounts look the same (SEC-AUTH-6, FT-ENUM-1, L-33 to L-35)', () => {
  let world: World
  before(async () => {
    world = await startWorld()
    await world.user('known')
    await world.user('disabled')
    await disableUser(world.services, 'disabled', operator)
    await world.user('no-password', { password: undefined })
    await world.enrolled('bound')
    await world.user('chief', { isSuperuser: true })
    await world.user('renewing', { mustChangePassword: true })
  })
  after(() => world.close())

  const names = [...refusals, 'bound', 'chief', 'renewing']
  const compare = async (call: (browser: Browser, username: string) => Promise<Reply>) => {
    const seen = new Map<string, string[]>()
    for (const username of names) {
      const browser = stranger(world)
      const all: string[] = []
      // Seven: the last two are refused for their number.
      for (let i = 0; i < 7; i++) all.push(bytes(await call(browser, username)))
      assert.equal(browser.cookies.size, 0)
      const answers = all.join('\n\n')
      seen.set(answers, [...(seen.get(answers) ?? []), username])
    }
    assert.deepEqual([...seen.values()], [names])
    await world.services.db.deleteFrom('attempts').execute()
  }

  it('at login', () =>
    compare((browser, username) => browser.post('/auth/login/', { username, password: 'wrong' })))

  it('at authenticate', () =>
    compare((browser, username) =>
      browser.post('/auth/authenticate/', { username, password: 'wrong', otp: '123456' }),
    ))

  it('at authenticate with a recovery code', () =>
    compare((browser, username) =>
      browser.post('/auth/authenticate/', { username, password: 'wrong', otp: '0-0000-0000-0000-0000' }),
    ))

  it('and so does a disabled one to whoever has its password', async () => {
    const attempt = (username: string) =>
      stranger(world).post('/auth/login/', { username, password: PASSWORD })
    assert.equal(bytes(await attempt('disabled')), bytes(await attempt('nobody')))
  })

  it('whatever the audit log is told of the reason', async () => {
    const reasons = (await world.audit())
      .filter((e) => e.event === 'password-refused')
      .map((e) => e.fields.reason)
    assert.deepEqual(new Set(reasons), new Set(['wrong-password', 'unknown-user', 'disabled', 'no-password']))
  })
})

describe('in uniform mode', () => {
  let world: World
  let bound: Enrolled
  before(async () => {
    world = await startWorld({ config: { login: { uniformErrors: true } } })
    bound = await world.enrolled('bound')
    await world.user('bare')
  })
  after(() => world.close())

  const authenticate = (username: string, password: string, otp: string) =>
    stranger(world).post('/auth/authenticate/', { username, password, otp })

  it('a wrong code, a used one, a missing device and a wrong password are one answer (SEC-AUTH-7)', async () => {
    const used = bound.phone.code()
    assert.equal((await authenticate('bound', PASSWORD, used)).status, 200)
    const answers = [
      await authenticate('bound', 'wrong', used),
      await authenticate('bound', PASSWORD, used),
      await authenticate('bound', PASSWORD, wrongCode(bound)),
      await authenticate('bound', PASSWORD, 'not a code'),
      await authenticate('bound', PASSWORD, '0-0000-0000-0000-0000'),
      await authenticate('bare', PASSWORD, '123456'),
      await authenticate('bare', 'wrong', '123456'),
      await authenticate('nobody', 'wrong', '123456'),
    ]
    assert.deepEqual(new Set(answers.map(bytes)).size, 1)
    assert.deepEqual([answers[0]?.status, answers[0]?.body.code], [401, 'invalid_credentials'])
  })

  it('the waits of wrong codes are those of wrong passwords (SEC-AUTH-7, SEC-RATE-7)', async () => {
    await world.enrolled('codes')
    await world.enrolled('passwords')
    for (let i = 0; i < 12; i++) {
      const codes = await authenticate('codes', PASSWORD, '00000000')
      const passwords = await authenticate('passwords', 'wrong', '00000000')
      assert.equal(bytes(codes), bytes(passwords), `attempt ${i}`)
      if (i % 3 === 2) world.clock.advance(60)
    }
  })

  it('a right password among wrong ones does not show in how often one may try (SEC-AUTH-7)', async () => {
    await world.enrolled('sprayed')
    await world.enrolled('compared')
    for (let i = 0; i < 12; i++) {
      const sprayed = await authenticate('sprayed', i === 3 ? PASSWORD : 'wrong', '00000000')
      const compared = await authenticate('compared', 'wrong', '00000000')
      assert.equal(bytes(sprayed), bytes(compared), `attempt ${i}`)
      if (i % 3 === 2) world.clock.advance(30)
    }
  })

  it('all three right still sign in after some that were not', async () => {
    const user = await world.enrolled('clumsy')
    for (let i = 0; i < 4; i++) await authenticate('clumsy', PASSWORD, '00000000')
    assert.equal((await authenticate('clumsy', PASSWORD, user.phone.code())).status, 200)
    for (let i = 0; i < 5; i++) assert.equal((await authenticate('clumsy', 'wrong', '00000000')).status, 401)
    assert.equal((await authenticate('clumsy', 'wrong', '00000000')).status, 429)
  })

  it('the second step of a login says the same of every wrong code', async () => {
    const half = stranger(world)
    await world.enrolled('halfway')
    await half.post('/auth/login/', { username: 'halfway', password: PASSWORD })
    const wrong = await half.post('/auth/verify/', { otp: '00000000' })
    assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid_credentials'])
    assert.equal(bytes(wrong), bytes(await half.post('/auth/verify/', { otp: 'not a code' })))
  })
})
