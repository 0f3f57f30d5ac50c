import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import type { UserId } from '../../src/domain/user.ts'
import { type Browser, expectStatus, PASSWORD, phoneOf, startWorld, type World } from '../world.ts'
import {
  BROWSER,
  errorOf,
  giveCounterToken,
  halfSignedIn,
  isSignedIn,
  operator,
  recoveryCodes,
  signIn,
  stranger,
  wrongCode,
} from './journeys.ts'

describe('a recovery code', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  const authenticate = (username: string, otp: string | undefined, browser = stranger(world)) =>
    browser.post('/auth/authenticate/', { username, password: PASSWORD, otp })

  it('works once', async () => {
    const { browser, username } = await world.enrolled('once')
    const [code] = await recoveryCodes(browser)
    assert.equal((await authenticate(username, code)).status, 200)
    assert.deepEqual(errorOf(await authenticate(username, code)), [400, 'invalid_otp'])
  })

  it('of somebody else opens nothing, and stays good for them (SEC-REC-3, L-19)', async () => {
    const theirs = await world.enrolled('alice')
    const mine = await world.enrolled('bob')
    await recoveryCodes(mine.browser)
    const codes = await recoveryCodes(theirs.browser)
    const half = await halfSignedIn(world, 'bob')
    assert.deepEqual(errorOf(await half.post('/auth/verify/', { otp: codes[0] })), [400, 'invalid_otp'])
    assert.deepEqual(errorOf(await authenticate('bob', codes[1])), [400, 'invalid_otp'])
    assert.equal((await theirs.browser.get('/auth/recovery-codes/')).body.remaining, 10)
    assert.equal((await authenticate('alice', codes[0])).status, 200)
  })

  it('of the former set works no more once a new set is made (SEC-REC-5)', async () => {
    const { browser, username } = await world.enrolled('renewed')
    const old = await recoveryCodes(browser)
    const fresh = await recoveryCodes(browser)
    assert.equal(new Set([...old, ...fresh]).size, 20)
    assert.deepEqual(errorOf(await authenticate(username, old[3])), [400, 'invalid_otp'])
    assert.equal((await authenticate(username, fresh[3])).status, 200)
  })

  it('is taken as people type it (SEC-REC-4)', async () => {
    const { browser, username } = await world.enrolled('typist')
    const codes = await recoveryCodes(browser)
    const typed = [
      (code: string) => code.toLowerCase(),
      (code: string) => code.replaceAll('-', ''),
      (code: string) => ` ${code.replaceAll('-', ' ')} `,
      (code: string) => code[0] + code.slice(1).replaceAll('0', 'O').replaceAll('1', 'l'),
    ]
    for (const [index, as] of typed.entries()) {
      assert.equal((await authenticate(username, as(codes[index] ?? ''))).status, 200, as(codes[index] ?? ''))
    }
  })

  it('used once in one spelling is used in every other', async () => {
    const { browser, username } = await world.enrolled('respelt')
    const [code = ''] = await recoveryCodes(browser)
    assert.equal((await authenticate(username, code)).status, 200)
    for (const spelling of [code.toLowerCase(), code.replaceAll('-', ''), code.replaceAll('0', 'o')]) {
      assert.deepEqual(errorOf(await authenticate(username, spelling)), [400, 'invalid_otp'])
    }
  })

  it('without the password opens nothing (SEC-REC-7)', async () => {
    const { browser, username } = await world.enrolled('alone')
    const [code] = await recoveryCodes(browser)
    const fields = { username, password: 'wrong', otp: code }
    assert.equal((await stranger(world).post('/auth/authenticate/', fields)).status, 401)
    assert.equal((await stranger(world).post('/auth/verify/', { otp: code })).status, 401)
    assert.equal((await browser.get('/auth/recovery-codes/')).body.remaining, 10)
  })

  it('ends every other session and forgets every browser (SEC-REC-9)', async () => {
    const user = await world.enrolled('bag')
    const codes = await recoveryCodes(user.browser)
    const other = await signIn(world, user)
    const known = user.browser.cookies.get(BROWSER)
    const here = stranger(world)
    assert.equal((await authenticate(user.username, codes[0], here)).status, 200)
    assert.equal(await isSignedIn(here), true)
    assert.equal(await isSignedIn(other), false)
    assert.equal(await isSignedIn(user.browser), false)
    const { count } = await world.services.db
      .selectFrom('known_browser')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('user_id', '=', user.id)
      .executeTakeFirstOrThrow()
    assert.equal(count, 1)
    assert.notEqual(here.cookies.get(BROWSER), known)
  })

  it('shares one budget with every other kind of code (SEC-REC-4)', async () => {
    const user = await world.enrolled('mixed')
    const codes = await recoveryCodes(user.browser)
    const counter = await giveCounterToken(world, user.username)
    const wrongRecovery = `0-0000-0000-0000-${codes[0]?.slice(-4) === '0000' ? '0001' : '0000'}`
    const attempts = [wrongCode(user), counter(30), wrongRecovery, 'not a code', wrongRecovery]
    for (const otp of attempts) assert.equal((await authenticate(user.username, otp)).status, 400, otp)
    for (const otp of [user.phone.code(), counter(0), codes[1]]) {
      assert.deepEqual(errorOf(await authenticate(user.username, otp)), [429, 'throttled'])
    }
    assert.equal(await recoveryCodesLeft(user.id), 10)
  })

  const recoveryCodesLeft = async (id: UserId) => {
    const rows = await world.services.db
      .selectFrom('recovery_code')
      .selectAll()
      .where('user_id', '=', id)
      .execute()
    return rows.length
  }

  it('of the operator leads to a new device, and the password alone does not (SEC-AUTH-16, SEC-REC-7)', async () => {
    const user = await world.enrolled('lost')
    const outcome = await resetSecondFactor(world.services, 'lost', operator)
    assert.equal(outcome.kind, 'reset')
    const code = outcome.kind === 'reset' ? outcome.recoveryCode : ''
    assert.equal(await isSignedIn(user.browser), false)

    const thief = await halfSignedIn(world, 'lost', 'totp')
    assert.equal((await thief.post('/auth/register-secret/')).status, 401)
    assert.deepEqual(errorOf(await thief.post('/auth/verify/', { otp: user.phone.code() })), [
      400,
      'invalid_otp',
    ])

    const owner = await halfSignedIn(world, 'lost', 'totp')
    const proven = await owner.post('/auth/verify/', { otp: code })
    assert.deepEqual([proven.status, proven.body.next], [200, 'enrol-totp'])
    assert.equal(await isSignedIn(owner), false)
    await bindNew(owner)
    assert.equal(await isSignedIn(owner), true)
  })

  it('of the operator ends after a day (SEC-PW-13)', async () => {
    for (const [username, wait, status] of [
      ['prompt', 24 * 3600 - 1, 200],
      ['tardy', 24 * 3600, 400],
    ] as const) {
      await world.enrolled(username)
      const outcome = await resetSecondFactor(world.services, username, operator)
      world.clock.advance(wait)
      assert.equal(
        (await authenticate(username, outcome.kind === 'reset' ? outcome.recoveryCode : '')).status,
        status,
      )
    }
  })

  it('cannot be made without two factors (SEC-REC-6)', async () => {
    const optional = await startWorld({ config: { login: { enrolment: 'optional' } } })
    await optional.user('single')
    const browser = optional.browser()
    await browser.post('/auth/login/', { username: 'single', password: PASSWORD })
    assert.deepEqual(errorOf(await browser.post('/auth/recovery-codes/')), [
      403,
      'fresh_authentication_required',
    ])
    await optional.close()
  })

  const bindNew = async (browser: Browser) => {
    const { body } = await expectStatus(browser.post('/auth/register-secret/'), 200)
    const otp = phoneOf(world.clock, body.shared_secret).code()
    await expectStatus(browser.post('/auth/verify/', { otp }), 200)
  }
})
