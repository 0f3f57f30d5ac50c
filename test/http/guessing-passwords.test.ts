import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { atOnce, BROWSER, errorOf, isSignedIn, signIn, stranger, tally } from './journeys.ts'

describe('guessing passwords', () => {
  let world: World
  before(async () => {
    world = await startWorld({ config: { throttle: { serverLimit: 100_000 } } })
  })
  after(() => world.close())

  const guess = (username: string, password = 'wrong', browser = stranger(world)) =>
    browser.post('/auth/login/', { username, password })
  const looks = async (id: string) =>
    (await world.audit()).filter((e) => e.user_id === id && e.event === 'password-refused').length

  it('1,000 at once from 1,000 addresses get five looks (SEC-RATE-1, L-23)', async () => {
    const id = await world.user('thousand')
    // In parts, for the queue of password hashes is bounded and says 503 to the rest.
    const replies = []
    for (let part = 0; part < 20; part++) replies.push(...(await atOnce(50, () => guess('thousand'))))
    assert.deepEqual(tally(replies), { 401: 5, 429: 995 })
    assert.equal(await looks(id), 5)
  })

  it('the fifth is looked at, the sixth is not (SEC-DOC-1)', async () => {
    await world.user('fifth')
    for (let i = 0; i < 4; i++) assert.equal((await guess('fifth')).status, 401)
    assert.equal((await guess('fifth', PASSWORD)).status, 200)
    for (let i = 0; i < 5; i++) assert.equal((await guess('fifth')).status, 401)
    assert.equal((await guess('fifth', PASSWORD)).status, 429)
  })

  it('the wait is 30 seconds, then doubles up to an hour (SEC-DOC-1)', async () => {
    await world.user('waits')
    for (let i = 0; i < 4; i++) await guess('waits')
    for (const wait of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
      assert.equal((await guess('waits')).status, 401)
      const told = await guess('waits')
      assert.deepEqual([told.status, told.headers.get('retry-after')], [429, String(wait)])
      assert.deepEqual([told.body.code, told.body.retry_after], ['throttled', wait])
      world.clock.advance(wait)
    }
    assert.equal((await guess('waits', PASSWORD)).status, 200)
  })

  it('a day without an attempt forgets them', async () => {
    await world.user('forgotten')
    for (let i = 0; i < 5; i++) await guess('forgotten')
    world.clock.advance(86_400)
    for (let i = 0; i < 5; i++) assert.equal((await guess('forgotten')).status, 401)
    assert.equal((await guess('forgotten')).status, 429)
  })

  it('a right one during the wait looks like a wrong one (SEC-RATE-7)', async () => {
    await world.user('limited')
    for (let i = 0; i < 5; i++) await guess('limited')
    const [right, wrong] = [await guess('limited', PASSWORD), await guess('limited', 'wrong')]
    assert.deepEqual([right.status, right.text], [wrong.status, wrong.text])
    assert.deepEqual(masked(right.headers), masked(wrong.headers))
    assert.equal(right.status, 429)
  })

  it('an unknown name is throttled exactly as a known one (SEC-AUTH-6, SEC-RATE-2, L-33)', async () => {
    await world.user('known')
    for (let i = 0; i < 8; i++) {
      const [known, unknown] = [await guess('known'), await guess('unknown')]
      assert.deepEqual([known.status, known.text], [unknown.status, unknown.text])
      assert.deepEqual(masked(known.headers), masked(unknown.headers))
      if (i === 6) world.clock.advance(30)
    }
  })

  it('every spelling of a name shares one count, and signs the same user in (L-24, L-28, SEC-RATE-6)', async () => {
    const id = await world.user('Straße')
    const spellings = ['straße', 'STRASSE', 'strasse', 'Straße', 'ＳＴＲＡＳＳＥ', 'ſtraſſe', 'StrassE']
    for (const [index, username] of spellings.entries()) {
      assert.equal((await guess(username)).status, index < 5 ? 401 : 429, username)
    }
    assert.equal(await looks(id), 5)
    world.clock.advance(30)
    assert.equal((await guess('ＳＴＲＡＳＳＥ', PASSWORD)).status, 200)
  })

  it('every spelling of an unknown name shares one count as well (L-28)', async () => {
    const spellings = ['Ghöst', 'GHÖST', 'gho\u0308st', 'ＧＨÖＳＴ', 'GHO\u0308ST', 'ghöst']
    for (const [index, username] of spellings.entries()) {
      assert.equal((await guess(username)).status, index < 5 ? 401 : 429, username)
    }
  })

  it('names with a space or a NUL around are nobody, and do not charge the user', async () => {
    const id = await world.user('exact')
    for (const username of [
      ' exact',
      'exact ',
      'exact\0',
      '\0exact',
      'exact\u200b',
      'ex\u00adact',
      'exact.',
    ]) {
      assert.equal((await guess(username, PASSWORD)).status, 401, JSON.stringify(username))
    }
    assert.equal(await looks(id), 0)
    assert.equal((await guess('exact', PASSWORD)).status, 200)
  })

  it('both ways share the count (SEC-RATE-6, L-25)', async () => {
    const id = await world.user('ways')
    for (let i = 0; i < 8; i++) {
      const fields = { username: 'ways', password: 'wrong' }
      if (i % 2 === 0) await stranger(world).post('/auth/login', fields)
      else await stranger(world).post('/auth/authenticate/', { ...fields, otp: '123456' })
    }
    assert.equal(await looks(id), 5)
  })

  it('the current password is guessed by a session within the same limits (SEC-PW-7)', async () => {
    const { browser } = await world.enrolled('hijacked')
    const fields = { current_password: 'wrong', new_password: 'a new and longer password' }
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(errorOf(await browser.post('/auth/password/', fields)), [400, 'wrong_password'])
    }
    assert.deepEqual(errorOf(await browser.post('/auth/password/', fields)), [429, 'throttled'])
  })

  it('strangers at 1,000 addresses do not keep a user out of a known browser (SEC-RATE-5)', async () => {
    const user = await world.enrolled('victim')
    const elsewhere = stranger(world)
    for (let minute = 0; minute < 10; minute++) {
      for (let part = 0; part < 2; part++) await atOnce(50, () => guess('victim'))
      await signIn(world, user, user.browser)
      assert.equal(await isSignedIn(user.browser), true)
      world.clock.advance(30)
    }
    const fields = { username: 'victim', password: PASSWORD, otp: user.phone.code() }
    assert.equal((await elsewhere.post('/auth/authenticate/', fields)).status, 429)
  })

  it('a known browser has a small budget of its own, and opens nothing by itself (SEC-AUTH-13)', async () => {
    const user = await world.enrolled('cookiethief')
    const thief = stranger(world)
    thief.cookies.set(BROWSER, String(user.browser.cookies.get(BROWSER)))
    assert.equal(await isSignedIn(thief), false)
    for (let i = 0; i < 5; i++) assert.equal((await guess(user.username, 'wrong', thief.clone())).status, 401)
    assert.equal((await guess(user.username, PASSWORD, thief.clone())).status, 429)
    assert.equal((await guess(user.username, PASSWORD)).status, 200)
  })

  it('the mark of a known browser is no help with another user’s name (SEC-RATE-5)', async () => {
    const mine = await world.enrolled('marked')
    const id = await world.user('unmarked')
    for (let i = 0; i < 20; i++) {
      const browser = stranger(world)
      browser.cookies.set(BROWSER, String(mine.browser.cookies.get(BROWSER)))
      await guess('unmarked', 'wrong', browser)
    }
    assert.equal(await looks(id), 5)
  })
})

/** Headers without what differs from one request to the next by its nature. */
function masked(headers: Headers): [string, string][] {
  return [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name))
}
