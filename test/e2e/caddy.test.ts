import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { disableUser } from '../../src/actions/disable-user.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import type { Visitor } from '../support/protected.ts'
import {
  openWebSocket,
  type Proxied,
  type Seen,
  startCaddy,
  startProxied,
  valuesOf,
  visitOwnPages,
} from '../support/proxies.ts'
import { CALLER_SECRET, type Enrolled, PASSWORD } from '../world.ts'

const operator = { operator: 'test' }
const SITE = '__Host-watchword-site'

// Real Caddy of Debian, with the text that the guide shows.
describe('protected places behind Caddy', () => {
  let here: Proxied
  let folder = ''
  let people = 0
  before(async () => {
    here = await startProxied((made) => {
      folder = made.folder
      return startCaddy(made)
    })
  })
  after(() => here?.close())

  async function inside(): Promise<Enrolled & { visitor: Visitor }> {
    const person = await here.world.enrolled(`person${people++}`)
    const visitor = here.visitor(person.browser)
    assert.equal((await visitor.open(`${here.wiki}/page`)).status, 200)
    return { ...person, visitor }
  }
  const seenBy = (body: string): Seen => JSON.parse(body)

  it('keeps its secret from all but root', () => {
    assert.equal(statSync(join(folder, 'caddy', 'watchword.env')).mode & 0o777, 0o600)
  })

  it('sends a browser to our pages, and back to the very address with a cookie of that host alone', async () => {
    const { browser } = await here.world.enrolled(`person${people++}`)
    const visitor = here.visitor(browser)
    const { status, body, address, hops } = await visitor.open(`${here.wiki}/page?a=1&b=%C3%A9'x'`)
    assert.equal(status, 200)
    assert.equal(seenBy(body).target, '/page?a=1&b=%C3%A9%27x%27')
    assert.equal(address, `${here.wiki}/page?a=1&b=%C3%A9%27x%27`)
    assert.match(hops[1] ?? '', /^https:\/\/auth\.example\.com\/enter\?/)
    assert.deepEqual([...(visitor.jars.get(here.wiki)?.keys() ?? [])], [SITE])
    const asked = await here.visitor().open(`${here.wiki}/page`)
    assert.deepEqual([asked.status, new URL(asked.address).pathname], [200, '/login'])
  })

  it('tells the application who it is, whatever a client sends, and none of our cookies (M-07, M-08, FT-HDR-1)', async () => {
    const { visitor, username, id } = await inside()
    const token = visitor.jars.get(here.wiki)?.get(SITE) ?? ''
    const reply = await visitor.get(`${here.wiki}/app`, {
      cookie: `a=1; ${SITE}=${token}; watchword-wait=planted; b=2`,
      'X-Remote-User': 'root',
      X_Remote_User: 'root',
      'X-Remote_User': 'root',
      'x_ReMoTe-UsEr': 'root',
      'X-Remote-Groups': 'root',
      'X-Watchword-User-Id': 'root',
      'X-Watchword-Amr': 'root',
      'X-Watchword-Assertion': 'root',
      authorization: 'Bearer of-the-application',
    })
    assert.equal(reply.status, 200)
    const seen = seenBy(reply.body)
    assert.deepEqual(
      ['x-remote-user', 'x-remote-groups', 'x-watchword-amr', 'x-watchword-user-id'].map((name) =>
        valuesOf(seen, name).join(),
      ),
      [username, '', 'pwd,otp', id],
    )
    assert.deepEqual(valuesOf(seen, 'cookie'), ['a=1; b=2'])
    assert.deepEqual(valuesOf(seen, 'authorization'), ['Bearer of-the-application'])
    assert.doesNotMatch(reply.body, /root|planted|secret/i)
    assert.ok(!reply.body.includes(token))
    for (const [cookie, rest] of [
      [`${SITE}=${token}; b=2`, 'b=2'],
      [`b=2;${SITE}=${token}`, 'b=2;'],
      [
        `a=1; ${SITE}=${token}; b=2; __Host-Watchword-Session=x;watchword-form=y; c=watchword-3`,
        'a=1; b=2; c=watchword-3',
      ],
      [`${SITE}=${token}`, ''],
    ] as const) {
      const other = await visitor.get(`${here.wiki}/app`, { cookie })
      assert.equal(valuesOf(seenBy(other.body), 'cookie').join(), rest)
    }
    const removing = { connection: 'close, X-Remote-User' }
    assert.equal((await visitor.get(`${here.wiki}/app`, removing)).status, 400)
  })

  it('asks with facts of its own only (FT-HDR-1, SEC-FCGI-4)', async () => {
    const forged = {
      'X-Watchword-Secret': 'x',
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Host': 'other.example',
      'X-Forwarded-Uri': '/open/',
      'X-Forwarded-Method': 'POST',
      'X-Forwarded-Proto': 'http',
    }
    const sent = await here.visitor().get(`${here.wiki}/page`, forged)
    assert.equal(sent.status, 302)
    assert.equal(new URL(String(sent.headers.location)).searchParams.get('to'), `${here.wiki}/page`)
  })

  it('has our pages beside it, where nobody can ask as a proxy does', async () => {
    const { login, metrics, asked } = await visitOwnPages(here)
    assert.deepEqual([login.status, login.headers['x-frame-options']], [200, 'DENY'])
    assert.equal(metrics.status, 404)
    assert.deepEqual([asked.status, JSON.parse(asked.body).code], [403, 'forbidden'])
  })

  it('answers a script and whatever carries data by 401, and a program by a challenge', async () => {
    const visitor = here.visitor()
    const script = await visitor.get(`${here.wiki}/page`, { 'sec-fetch-mode': 'cors', accept: '*/*' })
    assert.deepEqual([script.status, JSON.parse(script.body).code], [401, 'not_signed_in'])
    for (const method of ['POST', 'PUT', 'DELETE', 'PROPFIND', 'TRACE']) {
      const { status, headers } = await visitor.get(
        `${here.wiki}/app`,
        {},
        method,
        method === 'TRACE' ? undefined : 'x',
      )
      assert.deepEqual([status, headers.location], [401, undefined], method)
    }
    const program = await visitor.get(`${here.wiki}/app`, { accept: '*/*' })
    assert.deepEqual(
      [program.status, program.headers['www-authenticate']],
      [401, 'Basic realm="Watchword", charset="UTF-8"'],
    )
  })

  it('passes bodies on to the application', async () => {
    const { visitor } = await inside()
    const body = 'x'.repeat(100_000)
    const posted = seenBy((await visitor.get(`${here.wiki}/app`, {}, 'POST', body)).body)
    assert.deepEqual([posted.method, posted.body.length], ['POST', body.length])
  })

  it('opens a WebSocket for whoever is signed in alone', async () => {
    const { visitor } = await inside()
    assert.equal(await openWebSocket(here, visitor), 101)
    assert.equal(await openWebSocket(here, here.visitor()), 401)
  })

  it('lets a program in by an app password, which the application never sees', async () => {
    const { username } = await here.world.enrolled('ada')
    const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
    const made = await makeAppPasswordFor(here.world.services, username, { wanted, by: operator })
    const secret = made.kind === 'made' ? made.appPassword : ''
    const basic = (password: string) => ({
      accept: '*/*',
      authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`,
    })
    const { status, body } = await here.visitor().get(`${here.wiki}/app`, basic(secret))
    assert.equal(status, 200)
    assert.deepEqual(valuesOf(seenBy(body), 'x-remote-user'), ['ada'])
    assert.deepEqual(valuesOf(seenBy(body), 'authorization'), [])
    assert.equal((await here.visitor().get(`${here.wiki}/app`, basic(PASSWORD))).status, 401)
  })

  it('closes with the next request after a user is disabled, and while Watchword is away (SEC-FCGI-8, SEC-SES-15)', async () => {
    const { visitor, username } = await inside()
    const status = async () => (await visitor.get(`${here.wiki}/page`)).status
    assert.equal(await status(), 200)
    await here.stopWatchword()
    assert.deepEqual([await status(), await status()], [502, 502])
    await here.startWatchword()
    assert.equal(await status(), 200)
    await disableUser(here.world.services, username, operator)
    assert.equal(await status(), 302)
    assert.ok(!here.log().includes(CALLER_SECRET))
  })
})
