import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { disableUser } from '../../src/actions/disable-user.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { signInWhereAsked, type Visitor } from '../support/protected.ts'
import {
  openWebSocket,
  type Proxied,
  pages,
  type Seen,
  startNginx,
  startProxied,
  valuesOf,
  visitOwnPages,
} from '../support/proxies.ts'
import { CALLER_SECRET, type Enrolled, PASSWORD } from '../world.ts'

const operator = { operator: 'test' }
const SITE = '__Host-watchword-site'

const place = (path: string, policy: string, lines: string) => `
  location ${path} {
    include watchword/protect-${policy}.conf;
    ${lines}
  }`

// Real nginx of Debian, with the files that the guide shows.
describe('protected places behind nginx', () => {
  let here: Proxied
  let folder = ''
  let ada: Enrolled
  let people = 0
  before(async () => {
    here = await startProxied((made) => {
      folder = made.folder
      const root = pages(folder)
      const application = 'proxy_pass http://127.0.0.1:3000;'
      return startNginx(made, {
        places: [
          place('/files/', 'two-factor', `root ${root};`),
          place('/recent/', 'two-factor-recent', application),
          place('/told/', 'told', application),
          // No such group.
          place('/unheard/', 'group-staff', `alias ${root}/files/;`),
          'location /unheard-of/ { auth_request /.watchword/unheard-of; proxy_pass http://127.0.0.1:3000; }',
          `location /open/ { alias ${root}/files/; }`,
        ].join('\n'),
        // Without the line of the virtual host.
        beside: `server {
          listen 127.0.0.1:${made.httpsPort} ssl;
          server_name careless.example.net;
          ssl_certificate ${made.certificate};
          ssl_certificate_key ${made.key};
          ${place('/', 'two-factor', application)}
        }`,
      })
    })
    ada = await here.world.enrolled('ada')
  })
  after(() => here?.close())

  async function inside(): Promise<Enrolled & { visitor: Visitor }> {
    const person = await here.world.enrolled(`person${people++}`)
    const visitor = here.visitor(person.browser)
    assert.equal((await visitor.open(`${here.wiki}/files/`)).status, 200)
    return { ...person, visitor }
  }
  const seenBy = (body: string): Seen => JSON.parse(body)

  it('keeps its secret from all but root', () => {
    assert.equal(statSync(join(folder, 'watchword', 'secret.conf')).mode & 0o777, 0o600)
  })

  it('sends a browser to our pages, and back to the very address with a cookie of that host alone', async () => {
    const { browser } = await here.world.enrolled(`person${people++}`)
    const visitor = here.visitor(browser)
    const address = `${here.wiki}/files/?a=1&b=%C3%A9'x'`
    const first = await visitor.get(address)
    assert.equal(first.status, 302)
    assert.equal(first.headers['cache-control'], 'no-store')
    assert.match(
      String(first.headers['set-cookie']),
      /^__Host-watchword-wait=[\w-]{43};.*; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    )
    const { status, body, address: last, hops } = await visitor.open(address)
    assert.deepEqual([status, body], [200, 'the page of the wiki\n'])
    assert.equal(last, `${here.wiki}/files/?a=1&b=%C3%A9%27x%27`)
    assert.match(hops[1] ?? '', /^https:\/\/auth\.example\.com\/enter\?/)
    assert.equal(hops.length, 4)
    assert.ok(visitor.jars.get(here.wiki)?.has(SITE))
  })

  it('asks whoever is not signed in, and goes on from there', async () => {
    const visitor = here.visitor()
    const asked = await visitor.open(`${here.wiki}/files/`)
    assert.deepEqual([asked.status, new URL(asked.address).pathname], [200, '/login'])
    const back = await signInWhereAsked(visitor, asked, ada)
    here.world.clock.advance(30)
    const { status, body } = await visitor.open(back)
    assert.deepEqual([status, body], [200, 'the page of the wiki\n'])
  })

  it('asks for a fresh proof where the policy wants one', async () => {
    const { visitor } = await inside()
    assert.equal((await visitor.open(`${here.wiki}/recent/`)).status, 200)
    here.world.clock.advance(16 * 60)
    const asked = await visitor.open(`${here.wiki}/recent/`)
    assert.equal(new URL(asked.address).pathname, '/confirm')
    assert.equal((await visitor.get(`${here.wiki}/files/`)).status, 200)
  })

  it('tells the application who it is, whatever a client sends, and none of our cookies (M-07, M-08, FT-HDR-1)', async () => {
    const { visitor, username, id } = await inside()
    const token = visitor.jars.get(here.wiki)?.get(SITE) ?? ''
    const reply = await visitor.get(`${here.wiki}/app?x=1`, {
      cookie: `a=1; ${SITE}=${token}; watchword-wait=planted; b=2`,
      'X-Remote-User': 'root',
      X_Remote_User: 'root',
      'X-Remote_User': 'root',
      'X-Remote-Groups': 'root',
      'X-Watchword-User-Id': 'root',
      'X-Watchword-Amr': 'root',
      'X-Watchword-Assertion': 'root',
      Connection: 'close, X-Remote-User, X-Remote-Groups',
      authorization: 'Bearer of-the-application',
    })
    assert.equal(reply.status, 200)
    const seen = seenBy(reply.body)
    assert.deepEqual(
      ['x-remote-user', 'x-remote-groups', 'x-watchword-amr', 'x-watchword-user-id'].map((name) =>
        valuesOf(seen, name),
      ),
      [[username], [], ['pwd,otp'], [id]],
    )
    assert.deepEqual(valuesOf(seen, 'cookie'), ['a=1; b=2'])
    assert.deepEqual(valuesOf(seen, 'authorization'), ['Bearer of-the-application'])
    assert.doesNotMatch(reply.body, /root|planted|secret/i)
    assert.ok(!reply.body.includes(token))
    assert.deepEqual(
      Object.keys(reply.headers).filter((name) => /remote|watchword|cookie|authorization/.test(name)),
      [],
    )
  })

  it('hands on the signed assertion of a policy that has one', async () => {
    const { visitor } = await inside()
    const { status, body } = await visitor.get(`${here.wiki}/told/`, { 'X-Watchword-Assertion': 'root' })
    assert.equal(status, 200)
    const [assertion = '', ...others] = valuesOf(seenBy(body), 'x-watchword-assertion')
    assert.equal(others.length, 0)
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(claims.aud, here.wiki)
  })

  it('asks with facts of its own only (FT-HDR-1, SEC-FCGI-4)', async () => {
    const visitor = here.visitor()
    const forged = {
      'X-Watchword-Secret': CALLER_SECRET,
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Host': 'other.example',
      'X-Forwarded-Uri': '/open/',
      'X-Forwarded-Method': 'POST',
      'X-Forwarded-Proto': 'http',
      'X-Original-URL': '/open/',
    }
    const sent = await visitor.get(`${here.wiki}/files/`, forged)
    assert.equal(sent.status, 302)
    const location = new URL(String(sent.headers.location))
    assert.equal(location.searchParams.get('to'), `${here.wiki}/files/`)
    assert.equal(
      (await visitor.get(`${here.wiki}/files/`, { ...forged, 'X-Watchword-Secret': 'x' })).status,
      302,
    )
    for (const path of [
      '/.watchword/two-factor',
      '/.watchword/password',
      '/.watchword/',
      '/.watchword/x?policy=password',
    ]) {
      const { status, headers } = await visitor.get(`${here.wiki}${path}`, forged)
      assert.deepEqual([status, headers['x-remote-user']], [404, undefined], path)
    }
  })

  it('has our pages beside it, where nobody can ask as a proxy does', async () => {
    const { login, metrics, asked } = await visitOwnPages(here)
    assert.deepEqual([login.status, login.headers['x-frame-options']], [200, 'DENY'])
    assert.equal(metrics.status, 404)
    assert.deepEqual([asked.status, JSON.parse(asked.body).code], [403, 'forbidden'])
  })

  it('answers a script and whatever carries data by 401, and a program by a challenge', async () => {
    const visitor = here.visitor()
    const script = await visitor.get(`${here.wiki}/files/`, { 'sec-fetch-mode': 'cors', accept: '*/*' })
    assert.deepEqual([script.status, JSON.parse(script.body).code], [401, 'not_signed_in'])
    assert.match(String(script.headers['content-type']), /^application\/json/)
    assert.equal(script.headers['www-authenticate'], undefined)
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
      const { status, headers } = await visitor.get(`${here.wiki}/app`, {}, method, 'x')
      assert.deepEqual([status, headers.location], [401, undefined], method)
      assert.match(String(headers['content-type']), /^text\/html/)
    }
    const program = await visitor.get(`${here.wiki}/app`, { accept: '*/*' })
    assert.deepEqual(
      [program.status, program.headers['www-authenticate'], program.headers['cache-control']],
      [401, 'Basic realm="Watchword", charset="UTF-8"', 'no-store'],
    )
    const elsewhere = await visitor.get(`${here.wiki}/recent/`, { accept: '*/*' })
    assert.deepEqual([elsewhere.status, elsewhere.headers['www-authenticate']], [401, undefined])
    assert.equal((await visitor.get(`${here.wiki}/files/`, {}, 'TRACE')).status, 405)
    assert.equal((await visitor.get(`${here.wiki}/files/`, {}, 'HEAD')).status, 302)
  })

  it('passes bodies and large cookies on to the application', async () => {
    const { visitor } = await inside()
    const body = 'x'.repeat(100_000)
    const posted = seenBy((await visitor.get(`${here.wiki}/app`, {}, 'POST', body)).body)
    assert.deepEqual([posted.method, posted.body.length], ['POST', body.length])
    const cookie = `theirs=${'y'.repeat(7000)}; ${SITE}=${visitor.jars.get(here.wiki)?.get(SITE)}`
    const large = await visitor.get(`${here.wiki}/app`, { cookie })
    assert.deepEqual(valuesOf(seenBy(large.body), 'cookie'), [`theirs=${'y'.repeat(7000)}`])
    const chunked = await visitor.get(`${here.wiki}/app`, { 'transfer-encoding': 'chunked' }, 'PUT', body)
    assert.deepEqual([chunked.status, seenBy(chunked.body).body.length], [200, body.length])
  })

  it('opens a WebSocket for whoever is signed in alone', async () => {
    const { visitor } = await inside()
    assert.equal(await openWebSocket(here, visitor), 101)
    assert.equal(await openWebSocket(here, here.visitor()), 401)
  })

  it('lets a program in by an app password, which the application never sees', async () => {
    const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
    const made = await makeAppPasswordFor(here.world.services, 'ada', { wanted, by: operator })
    const secret = made.kind === 'made' ? made.appPassword : ''
    const basic = (password: string) => ({
      accept: '*/*',
      authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`,
    })
    const visitor = here.visitor()
    const { status, body } = await visitor.get(`${here.wiki}/app`, basic(secret))
    assert.equal(status, 200)
    assert.deepEqual(valuesOf(seenBy(body), 'x-remote-user'), ['ada'])
    assert.deepEqual(valuesOf(seenBy(body), 'x-watchword-amr'), ['app-password'])
    assert.deepEqual(valuesOf(seenBy(body), 'authorization'), [])
    assert.equal((await visitor.get(`${here.wiki}/app`, basic(PASSWORD))).status, 401)
  })

  it('opens nothing by a policy that nobody knows, and nothing by a cookie that came twice (SEC-SES-14)', async () => {
    const { visitor } = await inside()
    assert.equal((await visitor.get(`${here.wiki}/unheard/`)).status, 403)
    assert.equal((await visitor.get(`${here.wiki}/unheard-of/`)).status, 403)
    const token = visitor.jars.get(here.wiki)?.get(SITE)
    const twice = `${SITE}=${token}; ${SITE}=${token}`
    assert.equal((await visitor.get(`${here.wiki}/files/`, { cookie: twice })).status, 403)
  })

  it('is led past the sign-in by no spelling of a path (M-11)', async () => {
    const targets = [
      ...['//files/', '/files//', '/./files/', '/open/../files/', '/open/%2e%2e/files/', '/open/..%2ffiles/'],
      ...[
        '/%66iles/',
        '/files/%2e/index.html',
        '/files/index.html;x',
        '/FILES/',
        '/files/%00',
        '/files/?/open/',
      ],
      ...['/open/..;/files/', '/files/.watchword/x', '/open/%2e%2e%2ffiles/index.html', '/\\files/'],
    ]
    for (const target of targets) {
      const request = https.get({
        ...{ host: '127.0.0.1', port: here.httpsPort, servername: 'wiki.example.net' },
        ...{ rejectUnauthorized: false, agent: false, path: target },
        headers: { host: new URL(here.wiki).host, accept: 'text/html' },
      })
      const [answer] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
      let body = ''
      for await (const chunk of answer) body += chunk
      assert.doesNotMatch(body, /page of the wiki|x-remote-user/i, target)
      assert.ok([302, 400, 404].includes(answer.statusCode ?? 0), `${target}: ${answer.statusCode}`)
    }
  })

  it('is closed in a virtual host that has no way to ask', async () => {
    const { visitor } = await inside()
    const careless = `https://careless.example.net:${here.httpsPort}`
    const { status, body } = await visitor.get(`${careless}/app`)
    assert.equal(status, 500)
    assert.doesNotMatch(body, /"headers"/)
  })

  it('closes with the next request after a user is disabled, and while Watchword is away (SEC-FCGI-8, SEC-SES-15)', async () => {
    const { visitor, username } = await inside()
    const status = async () => (await visitor.get(`${here.wiki}/files/`)).status
    assert.equal(await status(), 200)
    await here.stopWatchword()
    assert.deepEqual([await status(), await status()], [500, 500])
    await here.startWatchword()
    assert.equal(await status(), 200)
    await disableUser(here.world.services, username, operator)
    assert.equal(await status(), 302)
  })

  it('writes the secret into none of its logs', () => {
    const access = readFileSync(join(folder, 'access.log'), 'utf8')
    assert.match(access, /GET \/files\//)
    assert.ok(!(here.log() + access).includes(CALLER_SECRET))
  })
})
