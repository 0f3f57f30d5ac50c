import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Client } from 'pg'
import type { Browser, Page } from 'playwright-core'
import { openVisitor, startChromium } from '../support/browser.ts'
import { makeEnrolledPerson, makePerson } from '../support/browser-people.ts'
import {
  assertSignedIn,
  buttonOf,
  enrol,
  formWith,
  isSignedIn,
  keepRecoveryCodes,
  leads,
  pathOf,
  send,
  signIn,
  signOut,
} from '../support/browser-steps.ts'
import type { Node, NodesWorld } from '../support/nodes.ts'
import { type PlacesOfNodes, startPlacesOfNodes } from '../support/nodes-places.ts'
import { isInTime } from '../support/pace.ts'
import { until } from '../support/until.ts'

// Two nodes on one PostgreSQL, Apache's balancer over TLS, and Chromium. Nodes are killed, and never asked to end.
describe('a person whose node is killed in the middle of everything', () => {
  let places: PlacesOfNodes
  let world: NodesWorld
  let chromium: Browser
  let turn = 0

  before(async () => {
    places = await startPlacesOfNodes()
    world = places.world
    chromium = await startChromium({ ...world.apache, otherNames: ['wiki.example.net'] })
  })
  after(async () => {
    await chromium?.close()
    await places?.close()
  })

  const visit = async (): Promise<Page> => (await openVisitor(chromium, world.origin)).context.newPage()

  /** Kills the nodes in turn; at the next step the other is all there is, and nobody waited for Apache to notice. */
  async function loseNode(): Promise<void> {
    await world.both()
    await world.nodes[turn++ % 2]?.kill()
  }

  it('sets up an authenticator, with a loss at each step', async () => {
    const { username, password } = await makePerson(world, 'nina')
    const page = await visit()
    await page.goto('/login')
    await loseNode()
    await send(page, { username, password })
    await loseNode()
    const phone = await enrol(page)
    await loseNode()
    await keepRecoveryCodes(page)
    await assertSignedIn(page)
    await loseNode()
    await page.reload()
    await assertSignedIn(page)
    await loseNode()
    await signOut(page)
    assert.equal(await isSignedIn(page), false)
    await loseNode()
    await signIn(page, { username, password, phone })
  })

  it('signs in and uses the account page and the pages of administrators, with a loss at each step', async () => {
    const { username, password, phone } = await makeEnrolledPerson(world, 'olga', { isSuperuser: true })
    const page = await visit()
    await page.goto('/login')
    await loseNode()
    await send(page, { username, password })
    await loseNode()
    await page.reload()
    await loseNode()
    await send(page, { otp: phone.code() })
    await assertSignedIn(page)
    for (const path of ['/account', '/admin/users', '/admin/groups']) {
      await loseNode()
      const answer = await page.goto(path)
      assert.equal(answer?.status(), 200, path)
      assert.equal(pathOf(page), path)
    }
    const form = page.locator('form[action="/admin/groups"]')
    await form.locator('[name="group"]').fill('gardeners')
    await loseNode()
    await leads(page, () => buttonOf(form).click())
    assert.match(await page.locator('main').innerText(), /gardeners/)
  })

  it('enters a protected place and stays in', async () => {
    const { username, password, phone } = await makeEnrolledPerson(world, 'paul')
    const page = await visit()
    await opens(page)
    await loseNode()
    await send(page, { username, password })
    await loseNode()
    await send(page, { otp: phone.code() })
    await enters(page)
    await loseNode()
    await enters(page)
  })

  /** Nothing but a reload: the place answers with a page, its own or the one for signing in, within five seconds. */
  async function opens(page: Page): Promise<void> {
    const began = performance.now()
    for (;;) {
      const answer = await page.goto(`${places.wiki}/`)
      if (answer?.status() === 200) break
      assert.ok(await isInTime(performance.now() - began, 5000), `closed: ${answer?.status()}`)
    }
  }

  async function enters(page: Page): Promise<void> {
    await opens(page)
    assert.equal(page.url(), `${places.wiki}/`)
    assert.match(await page.innerText('body'), /the page of the wiki/)
  }

  describe('while it has the code in its hands', () => {
    let database: Client

    before(async () => {
      await world.both()
      database = new Client({ connectionString: world.nodes[0].settings.WATCHWORD_DATABASE })
      await database.connect()
    })
    after(() => database?.end())

    /** The node whose transaction waits for a lock of ours. */
    async function held(): Promise<Node> {
      let name = ''
      await until(async () => {
        const { rows } = await database.query<{ name: string }>(
          `select application_name as name from pg_stat_activity
            where wait_event_type = 'Lock' and application_name like 'node-%'`,
        )
        name = rows[0]?.name ?? ''
        return name !== ''
      }, 'a node waits')
      return world.nodes[name === 'node-1' ? 0 : 1]
    }

    it('before it is stored: the person is in, after a reload at most', async () => {
      await world.both()
      const { username, password, phone } = await makeEnrolledPerson(world, 'rosa')
      const page = await visit()
      await page.goto('/login')
      await send(page, { username, password })
      await database.query('begin; lock table session in share mode')
      const form = formWith(page, 'otp')
      await form.locator('[name="otp"]').fill(phone.code())
      const loaded = page.waitForEvent('load')
      await buttonOf(form).click({ noWaitAfter: true })
      await (await held()).kill()
      await database.query('commit')
      await loaded
      if (!(await isSignedIn(page))) await page.reload()
      await assertSignedIn(page)
    })

    it('after it is stored: nobody is in by that code, and the person signs in anew (SEC-OTP-2)', async () => {
      await world.both()
      const { id, username, password, phone } = await makeEnrolledPerson(world, 'sven')
      await database.query(`
        create function wait_to_commit() returns trigger language plpgsql as
          'begin perform pg_advisory_xact_lock_shared(4711); return null; end';
        create constraint trigger wait_to_commit after insert on session deferrable initially deferred
          for each row execute function wait_to_commit();
        select pg_advisory_lock(4711)`)
      const page = await visit()
      await page.goto('/login')
      await send(page, { username, password })
      const otp = phone.code()
      const form = formWith(page, 'otp')
      await form.locator('[name="otp"]').fill(otp)
      const loaded = page.waitForEvent('load')
      await buttonOf(form).click({ noWaitAfter: true })
      await (await held()).kill()
      await database.query('select pg_advisory_unlock(4711)')
      await loaded
      // It was stored by the transaction that nobody waited for any more.
      await until(async () => {
        const { rowCount } = await database.query('select 1 from session where user_id = $1', [id])
        return rowCount === 1
      }, 'the session of the killed node')
      await database.query('drop trigger wait_to_commit on session')
      assert.equal(await isSignedIn(page), false)
      await page.goto('/login')
      await send(page, { username, password })
      await send(page, { otp })
      assert.equal(await isSignedIn(page), false)
      await send(page, { otp: phone.code() })
      await assertSignedIn(page)
    })
  })
})
