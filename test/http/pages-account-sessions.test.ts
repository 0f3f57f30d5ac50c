import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { auditEventNames } from '../../src/domain/audit.ts'
import { auditSentence } from '../../src/http/pages/audit-sentence.ts'
import { texts } from '../../src/http/texts/index.ts'
import { fillIn, locationOf, readable } from '../support/forms.ts'
import { type Browser, type Enrolled, expectStatus, startWorld, type World } from '../world.ts'
import { isSignedIn, signIn } from './journeys.ts'

const SESSIONS = '/account/sessions'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

let made = 0
const somebody = (): Promise<Enrolled> => world.enrolled(`visitor${++made}`)

const handleOf = async (browser: Browser): Promise<string> =>
  (await browser.get('/auth/sessions/')).body.sessions.find(
    (session: { current: boolean }) => session.current,
  ).id

describe('the list of sessions (SEC-SES-11)', () => {
  it('tells where, when and with what; this one is marked and cannot be ended here', async () => {
    const user = await somebody()
    const other = await signIn(world, user, world.browser({ userAgent: FIREFOX, address: '192.0.2.44' }))
    const page = await user.browser.get(SESSIONS)
    const text = readable(page)
    assert.match(text, /Firefox on Linux Address 192\.0\.2\.44 Begun \d+ \w+ 2027.* Last active/)
    assert.match(text, /Signed in with password, one-time code/)
    assert.match(text, /test This session/)
    assert.match(page.text, /aria-label="End the session of Firefox on Linux at 192\.0\.2\.44"/)
    assert.ok(page.text.includes(`value="${await handleOf(other)}"`))
    assert.ok(!page.text.includes(`value="${await handleOf(user.browser)}"`))
    const german = readable(await user.browser.get(SESSIONS, { 'accept-language': 'de' }))
    assert.match(german, /Firefox unter Linux Adresse 192\.0\.2\.44 .* Angemeldet mit Passwort, Einmalcode/)
  })

  it('has no token and no hash of one (SEC-SES-2)', async () => {
    const { browser } = await somebody()
    const { text } = await browser.get(SESSIONS)
    const { token_hash } = await world.services.db
      .selectFrom('session')
      .select('token_hash')
      .where('id', '=', await handleOf(browser))
      .executeTakeFirstOrThrow()
    for (const secret of [...browser.cookies.values(), token_hash]) assert.ok(!text.includes(secret))
  })

  it('ends one', async () => {
    const user = await somebody()
    const other = await signIn(world, user)
    const id = await handleOf(other)
    const reply = await fillIn(user.browser, SESSIONS, '/account/sessions/end', { id })
    assert.equal(locationOf(reply), '/account/sessions?notice=session-ended')
    assert.equal(await isSignedIn(other), false)
    assert.equal(await isSignedIn(user.browser), true)
    assert.match(readable(await user.browser.get('/account/sessions?notice=session-ended')), /was ended/)
  })

  it('ends this one like a sign-out, if asked to', async () => {
    const { browser } = await somebody()
    const id = await handleOf(browser)
    const reply = await fillIn(browser, SESSIONS, '/account/sessions/end', { id })
    assert.equal(locationOf(reply), '/login?signed_out=')
    assert.equal(await isSignedIn(browser), false)
  })

  it('ends all others', async () => {
    const user = await somebody()
    const others = [await signIn(world, user), await signIn(world, user)]
    const reply = await fillIn(user.browser, SESSIONS, '/account/sessions/end-others')
    assert.equal(locationOf(reply), '/account/sessions?notice=others-ended')
    for (const other of others) assert.equal(await isSignedIn(other), false)
    assert.match(readable(await user.browser.get(SESSIONS)), /You are signed in nowhere else/)
  })

  it('asks for a fresh proof, and leads back (SEC-AUTH-10)', async () => {
    const user = await somebody()
    const other = await signIn(world, user)
    const id = await handleOf(other)
    world.clock.advance(300)
    const stale = '/confirm?return_to=%2Faccount%2Fsessions'
    const one = await fillIn(user.browser, SESSIONS, '/account/sessions/end', { id })
    const all = await fillIn(user.browser, SESSIONS, '/account/sessions/end-others')
    assert.deepEqual([locationOf(one), locationOf(all)], [stale, stale])
    assert.equal(await isSignedIn(other), true)
  })

  it('does not end what is somebody else’s, and does not tell that it is there (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    const id = await handleOf(theirs.browser)
    const there = await fillIn(mine.browser, SESSIONS, '/account/sessions/end', { id })
    const nowhere = await fillIn(mine.browser, SESSIONS, '/account/sessions/end', { id: '0'.repeat(26) })
    assert.deepEqual([there.status, there.text], [404, nowhere.text])
    await fillIn(mine.browser, SESSIONS, '/account/sessions/end-others')
    assert.equal(await isSignedIn(theirs.browser), true)
    assert.ok(!(await mine.browser.get(SESSIONS)).text.includes(id))
  })

  it('takes an identifier and nothing else', async () => {
    const { browser } = await somebody()
    for (const id of ['', '1', "' OR 1=1 --", '0'.repeat(25)]) {
      assert.equal((await fillIn(browser, SESSIONS, '/account/sessions/end', { id })).status, 400)
    }
  })
})

describe('the activity', () => {
  it('tells in words what happened, the latest first, in both languages', async () => {
    const { browser } = await somebody()
    const english = readable(await browser.get('/account/activity'))
    assert.match(english, /Signed in with password and one-time code .* Password accepted .* Account made/)
    assert.match(english, /Account made by the operator/)
    const german = readable(await browser.get('/account/activity', { 'accept-language': 'de' }))
    assert.match(german, /Angemeldet mit Passwort und Einmalcode .* Konto angelegt durch den Betreiber/)
  })

  it('marks what was refused, with where it came from', async () => {
    const { browser, username } = await somebody()
    const guesser = world.browser({ address: '198.51.100.9', userAgent: 'curl/8' })
    await guesser.post('/auth/login/', { username, password: 'a guess' })
    assert.match(
      readable(await browser.get('/account/activity')),
      /Wrong password refused .* curl\/8 · 198\.51\.100\.9/,
    )
  })

  it('tells of oneself and of nobody else (SEC-AZ-2)', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    await theirs.browser.patch(
      `/auth/devices/${(await theirs.browser.get('/auth/devices/')).body.devices[0].id}/`,
      { name: 'Their secret project' },
    )
    const [latest] = await world.services.db
      .selectFrom('audit_event')
      .select(['at', 'id'])
      .orderBy('id', 'desc')
      .limit(1)
      .execute()
    for (const path of [
      '/account/activity',
      `/account/activity?after=${latest?.at}.${latest?.id}`,
      '/account',
    ]) {
      assert.doesNotMatch((await mine.browser.get(path)).text, /secret project/)
    }
  })

  it('does not tell from where an administrator acted', async () => {
    const user = await somebody()
    const chief = await world.enrolled('chief', { isSuperuser: true })
    const { id } = user
    await world.services.db
      .insertInto('audit_event')
      .values({
        ...{ id: 'v'.repeat(26), at: world.clock.now(), event: 'user-unlocked', outcome: 'success' },
        ...{ actor_kind: 'user', actor_id: chief.id, user_id: id, address: '192.0.2.99' },
        ...{ user_agent: 'Admin', request_id: 'r', fields: '{}' },
      })
      .execute()
    const text = readable(await user.browser.get('/account/activity'))
    assert.match(text, /Waits lifted by an administrator/)
    assert.doesNotMatch(text, /192\.0\.2\.99/)
  })

  it('comes a part at a time, each event once', async () => {
    const { browser } = await somebody()
    const { devices } = (await browser.get('/auth/devices/')).body
    for (let i = 0; i < 60; i++)
      await browser.patch(`/auth/devices/${devices[0].id}/`, { name: `name ${i}.` })
    const seen: string[] = []
    let path: string | undefined = '/account/activity'
    for (let part = 0; path !== undefined && part < 10; part++) {
      const { text } = await expectStatus(browser.get(path), 200)
      seen.push(...(text.match(/name \d+\./g) ?? []))
      path = /rel="next" href="([^"]+)"/.exec(text)?.[1]
    }
    assert.equal(path, undefined)
    assert.deepEqual(
      seen,
      Array.from({ length: 60 }, (_, index) => `name ${59 - index}.`),
    )
  })

  it('begins at the latest when its address makes no sense', async () => {
    const { browser } = await somebody()
    const plain = readable(await browser.get('/account/activity'))
    for (const after of ['', 'x', '1.2', `1.${'z'.repeat(26)}`, `-1.${'0'.repeat(26)}`]) {
      assert.equal(readable(await browser.get(`/account/activity?after=${encodeURIComponent(after)}`)), plain)
    }
  })

  it('has words for every event, and shows one that it does not know by its name', () => {
    for (const t of Object.values(texts)) {
      for (const event of auditEventNames) assert.ok(t.audit.names[event].length > 3)
      assert.equal(auditSentence(t, { event: 'constructor', fields: {} }), 'constructor')
    }
  })
})
