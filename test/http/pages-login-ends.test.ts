import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fillIn, formKeyIn, locationOf, readable, submit } from '../support/forms.ts'
import { type Browser, PASSWORD, type Reply, startWorld, type World } from '../world.ts'

const password = { step: 'password', password: PASSWORD }
const code = { step: 'code', from: 'app', tries: '0' }

/** Sends the first step and opens the page of the next. */
async function upToCode(browser: Browser, username: string): Promise<Reply> {
  const sent = await fillIn(browser, '/login', '/login', { ...password, username })
  assert.equal(sent.status, 303, sent.text)
  return browser.get('/login')
}

describe('a login that was given up', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  /** The login of a browser that someone copied; neither pages nor the API take its next step. */
  async function assertUseless(copy: Browser, page: Reply, otp: string): Promise<void> {
    const byApi = await copy.clone().post('/auth/verify/', { otp })
    assert.equal(byApi.status, 401)
    const answer = await submit(copy, page, '/login', { ...code, otp })
    assert.equal(answer.status, 422)
    assert.match(answer.text, /name="username"/)
    assert.equal((await copy.get('/auth/session/')).status, 401)
  }

  it('is over for every copy of its cookie once it was started over (L-02)', async () => {
    const { phone } = await world.enrolled('begun-anew')
    const browser = world.browser()
    const page = await upToCode(browser, 'begun-anew')
    const copy = browser.clone()
    assert.equal(locationOf(await submit(browser, page, '/login', { step: 'start-over' })), '/login')
    await assertUseless(copy, page, phone.code())
  })

  it('is over once the same browser takes a first step again, which goes on (L-02)', async () => {
    const { phone } = await world.enrolled('tab')
    const browser = world.browser()
    const page = await upToCode(browser, 'tab')
    const copy = browser.clone()
    const again = await submit(browser, page, '/login', { ...password, username: 'tab' })
    assert.equal(again.status, 303)
    await assertUseless(copy, page, phone.code())
    const next = await browser.get('/login')
    const done = await submit(browser, next, '/login', { ...code, otp: phone.code() })
    assert.equal(locationOf(done), '/account')
  })

  it('is over once the same browser signs in at once beside it (L-02)', async () => {
    const { phone } = await world.enrolled('beside')
    const browser = world.browser()
    const page = await upToCode(browser, 'beside')
    const copy = browser.clone()
    const fields = { step: 'single', username: 'beside', password: PASSWORD, otp: phone.code() }
    assert.equal(locationOf(await submit(browser, page, '/login', fields)), '/account')
    world.clock.advance(30)
    await assertUseless(copy, page, phone.code())
  })

  it('goes on when a first step beside it is refused', async () => {
    const { phone } = await world.enrolled('clumsy')
    const browser = world.browser()
    const page = await upToCode(browser, 'clumsy')
    const refused = await submit(browser, page, '/login', {
      ...{ step: 'password', username: 'clumsy', password: 'something else entirely' },
    })
    assert.equal(refused.status, 422)
    assert.equal(
      locationOf(await submit(browser, page, '/login', { ...code, otp: phone.code() })),
      '/account',
    )
  })

  it('leaves no key of forms behind: one from before the sign-in is refused after it (SEC-CSRF-2)', async () => {
    const { phone } = await world.enrolled('keyed')
    const browser = world.browser()
    const before = await browser.get('/login')
    const page = await upToCode(browser, 'keyed')
    await submit(browser, page, '/login', { ...code, otp: phone.code() })
    assert.deepEqual(
      [...browser.cookies.keys()].filter((name) => name.endsWith('-form')),
      [],
    )
    await fillIn(browser, '/confirm', '/logout')
    assert.equal((await browser.get('/auth/session/')).status, 401)
    const fields = { ...password, username: 'keyed' }
    assert.equal((await submit(browser, before, '/login', fields)).status, 403)
    const now = await browser.get('/login')
    assert.notEqual(formKeyIn(now), formKeyIn(before))
    assert.equal((await submit(browser, before, '/login', fields)).status, 403)
    assert.equal((await submit(browser, now, '/login', fields)).status, 303)
  })
})

describe('a fresh proof, asked of somebody whose code budget is spent', () => {
  const throttle = { passwordFree: 100 }

  /** Spends the budget of codes, then asks with a right password and with a wrong one. */
  async function answersOnceSpent(world: World, username: string) {
    const { browser, phone } = await world.enrolled(username)
    const confirm = (fields: Record<string, string>) => fillIn(browser, '/confirm', '/confirm', fields)
    const otp = phone.code()
    for (let looks = 0; looks < world.config.throttle.codeFree; looks++) {
      assert.equal((await confirm({ password: PASSWORD, otp: '000000' })).status, 422)
    }
    return {
      right: await confirm({ password: PASSWORD, otp }),
      wrong: await confirm({ password: 'something else entirely', otp }),
    }
  }

  it('says the same of a right and of a wrong password where one form asks for both (SEC-AUTH-7)', async () => {
    const world = await startWorld({ config: { login: { form: 'single' }, throttle } })
    try {
      const { right, wrong } = await answersOnceSpent(world, 'single')
      assert.equal(right.status, 422)
      assert.equal(right.headers.get('retry-after'), null)
      assert.deepEqual([right.status, readable(right)], [wrong.status, readable(wrong)])
      const names = ({ headers }: Reply) => [...headers.keys()].toSorted()
      assert.deepEqual(names(right), names(wrong))
    } finally {
      await world.close()
    }
  })

  it('tells how long to wait where the password is asked for first', async () => {
    const world = await startWorld({ config: { throttle } })
    try {
      const { right, wrong } = await answersOnceSpent(world, 'two-steps')
      assert.deepEqual([right.status, wrong.status], [429, 422])
      assert.match(right.headers.get('retry-after') ?? '', /^\d+$/)
    } finally {
      await world.close()
    }
  })
})
