import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { changeGroup } from '../../src/actions/change-group.ts'
import { type ProtectedWorld, place, startProtected, type Visitor } from '../support/protected.ts'
import { openWire } from '../support/wire.ts'

const page = 'the page of the wiki\n'
const secret = 'only for members\n'
const long = 'abcdefghij'.repeat(2000)

/** A program that prints its environment and the hash of what it was sent. */
const program = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\nsha256sum\n'

function tree(folder: string): void {
  const files: Readonly<Record<string, string>> = {
    'htdocs/files/page.html': page,
    'htdocs/files/long.txt': long,
    'htdocs/files/missing.html': `not here, says the wiki: ${page}`,
    'htdocs/files/list/one.txt': page,
    'htdocs/files/list/same/two.txt': page,
    'htdocs/files/list/staff/three.txt': secret,
    'htdocs/files/list/staff.txt': secret,
    'htdocs/files/index/index.html': page,
    'htdocs/open/hello.txt': 'for everybody\n',
    'htdocs/open/closed/four.txt': secret,
    'htdocs/open/sorry.html': 'ask the office for a key\n',
    'tools/print': program,
    'mime.types': 'text/plain txt\ntext/html html\n',
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  chmodSync(join(folder, 'tools', 'print'), 0o755)
}

// Apache does the work of serving, as ever; what is looked at here is that it does so for those alone who may enter.
describe('files and programs of a protected place', () => {
  let here: ProtectedWorld
  let member: Visitor
  let person: Awaited<ReturnType<ProtectedWorld['world']['enrolled']>>
  let stranger: Visitor

  before(async () => {
    here = await startProtected({
      files: tree,
      modules: ['autoindex', 'deflate', 'filter', 'mime', 'include'],
      wiki: (folder) => `
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/tools/" "${folder}/tools/"
  ErrorDocument 404 /files/missing.html
  ErrorDocument 403 /open/sorry.html
  ErrorDocument 401 /open/sorry.html
  AddOutputFilterByType DEFLATE text/plain text/html
  <Directory "${folder}/htdocs">
    Require all granted
    Options +Indexes
    DirectoryIndex index.html
  </Directory>
  <Directory "${folder}/tools">
    Require all granted
  </Directory>
  ${['/files', '/files/list/same', '/open/closed'].map((path) => place(path, 'two-factor')).join('')}
  ${place('/files/list/staff', 'group-staff')}
  ${place('/files/list/staff.txt', 'group-staff')}
  ${place('/tools', 'two-factor')}`,
      shop: (folder) => `DocumentRoot "${folder}/htdocs"`,
    })
    await changeGroup(here.world.services, { kind: 'create', group: 'staff' }, { operator: 'test' })
    person = await here.world.enrolled('ada', { groups: ['staff'] })
    member = here.visitor(person.browser)
    stranger = here.visitor()
    assert.equal((await member.open(`${here.wiki}/files/page.html`)).body, page)
  })
  after(() => here?.close())

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    member.get(`${here.wiki}${path}`, headers, method)
  const denied = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const reply = await stranger.get(`${here.wiki}${path}`, headers, method)
    assert.ok([302, 401, 403].includes(reply.status), `${method} ${path}: ${reply.status}`)
    assert.ok(![page, secret, 'abcdefghij'].some((text) => reply.body.includes(text.trim())), path)
    for (const name of ['etag', 'last-modified', 'content-range', 'accept-ranges', 'content-encoding']) {
      assert.equal(reply.headers[name], undefined, `${name} of ${method} ${path}`)
    }
    return reply
  }

  describe('files', () => {
    it('come in ranges, one and several', async () => {
      const one = await get('/files/long.txt', { range: 'bytes=10-14' })
      assert.deepEqual([one.status, one.body], [206, 'abcde'])
      assert.equal(one.headers['content-range'], `bytes 10-14/${long.length}`)
      const several = await get('/files/long.txt', { range: 'bytes=0-1,20-22' })
      assert.equal(several.status, 206)
      assert.match(String(several.headers['content-type']), /^multipart\/byteranges; boundary=/)
      assert.match(several.body, /\r\n\r\nab\r\n[\s\S]*\r\n\r\nabc\r\n/)
      assert.equal((await get('/files/long.txt', { range: 'bytes=99999-' })).status, 416)
      for (const range of ['bytes=0-0', 'bytes=0-1,20-22', 'bytes=99999-']) {
        await denied('/files/long.txt', { range })
      }
    })

    it('come without a body to HEAD', async () => {
      const { status, body, headers } = await get('/files/long.txt', {}, 'HEAD')
      assert.deepEqual([status, body, headers['content-length']], [200, '', String(long.length)])
      const { headers: kept } = await denied('/files/long.txt', {}, 'HEAD')
      assert.notEqual(kept['content-length'], String(long.length))
    })

    it('are not sent again to who has them, and tell nobody else whether they changed', async () => {
      const { etag, 'last-modified': modified } = (await get('/files/page.html')).headers
      assert.ok(typeof etag === 'string' && typeof modified === 'string')
      for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
        const { status, body } = await get('/files/page.html', headers)
        assert.deepEqual([status, body], [304, ''])
        await denied('/files/page.html', headers)
      }
      const failed = { 'if-match': '"another"' }
      assert.equal((await get('/files/page.html', failed)).status, 412)
      await denied('/files/page.html', failed)
    })

    it('are compressed for who may read them', async () => {
      const { status, headers, body } = await get('/files/long.txt', { 'accept-encoding': 'gzip' })
      assert.deepEqual([status, headers['content-encoding']], [200, 'gzip'])
      assert.ok(body.length < long.length / 10)
      const refused = await stranger.get(`${here.wiki}/files/long.txt`, { 'accept-encoding': 'gzip' })
      assert.equal(refused.status, 302)
    })

    it('open by the index of their folder', async () => {
      assert.equal((await get('/files/index/')).body, page)
      await denied('/files/index/')
      const { status, headers } = await get('/files/index')
      assert.deepEqual([status, headers.location], [301, `${here.wiki}/files/index/`])
      assert.doesNotMatch(String((await denied('/files/index')).headers.location), /^https:\/\/wiki/)
    })
  })

  describe('a listing', () => {
    it('names what the same policy protects, and not what another one does', async () => {
      const { status, body } = await get('/files/list/')
      assert.equal(status, 200)
      for (const name of ['one.txt', 'same/']) assert.ok(body.includes(`href="${name}"`), name)
      assert.ok(!body.includes('staff'))
      await denied('/files/list/')
    })

    it('that is open to everybody names nothing protected', async () => {
      const { status, body } = await stranger.get(`${here.wiki}/open/`)
      assert.deepEqual([status, body.includes('hello.txt'), body.includes('closed')], [200, true, false])
    })

    it('is no way around: what it leaves out opens to who may enter', async () => {
      assert.equal((await get('/files/list/staff/three.txt')).body, secret)
      assert.equal((await get('/files/list/staff.txt')).body, secret)
      await denied('/files/list/staff/three.txt')
      await denied('/files/list/staff/none')
    })
  })

  describe('error documents', () => {
    it('are shown of the place to who is in, and tell a stranger nothing of what exists', async () => {
      const { status, body } = await get('/files/none')
      assert.deepEqual([status, body], [404, `not here, says the wiki: ${page}`])
      const [none, there] = await Promise.all([denied('/files/none'), denied('/files/page.html')])
      assert.equal(none.status, there.status)
    })

    it('that stand in a protected place are shown to nobody outside of it', async () => {
      const { status, body } = await stranger.get(`${here.wiki}/open/none`)
      assert.ok([302, 404].includes(status), String(status))
      assert.ok(!body.includes(page))
    })

    it('of Apache do not take the place of our refusal', async () => {
      const other = here.visitor((await here.world.enrolled('ben')).browser)
      await other.open(`${here.wiki}/files/page.html`)
      const forbidden = await other.get(`${here.wiki}/files/list/staff/three.txt`)
      assert.equal(forbidden.status, 403)
      assert.match(forbidden.body, /This page is not open to you/)
      const asked = await denied('/files/page.html', { accept: '*/*' })
      assert.equal(asked.status, 401)
      assert.equal(asked.headers['www-authenticate'], 'Basic realm="Watchword", charset="UTF-8"')
    })
  })

  describe('a program (CGI)', () => {
    it('reads who asks, and nothing that it could use in their name (SEC-FCGI-3)', async () => {
      const { body } = await get('/tools/print?a=b', { remote_user: 'mallory' })
      const environment = new Map(body.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
      assert.deepEqual(
        ['REMOTE_USER', 'REMOTE_GROUPS', 'WW_AMR', 'WW_USER_ID', 'QUERY_STRING'].map((name) =>
          environment.get(name),
        ),
        ['ada', 'staff', 'pwd,otp', person.id, 'a=b'],
      )
      const token = member.jars.get(here.wiki)?.get('__Host-watchword-site') ?? '?'
      assert.ok(![token, 'mallory'].some((text) => body.includes(text)))
      assert.equal(environment.get('WW_SECRET') ?? '', '')
      assert.deepEqual(
        ['HTTP_COOKIE', 'HTTP_AUTHORIZATION'].map((name) => environment.has(name)),
        [false, false],
      )
    })

    it('gets what is sent, of a length that is known and of one that is not', async () => {
      const sent = randomBytes(150_000).toString('hex')
      const hash = createHash('sha256').update(sent).digest('hex')
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const { status, body } = await member.get(`${here.wiki}/tools/print`, headers, 'POST', sent)
        assert.deepEqual([status, body.includes(hash)], [200, true])
      }
    })

    it('is not started for who is not let in, and whoever asks first need not send it', async () => {
      const { status, body } = await stranger.get(
        `${here.wiki}/tools/print`,
        {},
        'POST',
        'x'.repeat(8 * 1024 * 1024),
      )
      assert.equal(status, 401)
      assert.doesNotMatch(body, /GATEWAY|REMOTE_/)
      const socket = await openWire(here.apache.httpsPort, 'wiki.example.net')
      const host = `wiki.example.net:${here.apache.httpsPort}`
      const length = 8 * 1024 * 1024
      socket.write(
        `POST /tools/print HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`,
      )
      const reply = await socket.rest()
      assert.match(reply, /^HTTP\/1\.1 401 /)
      assert.doesNotMatch(reply, /GATEWAY|REMOTE_|HTTP\/1\.1 100/)
    })
  })
})
