import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { changeGroup } from '../../src/actions/change-group.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { rotateSigningKey } from '../../src/actions/rotate-signing-key.ts'
import { spellings } from '../../src/apache/guarded-headers.ts'
import { TOLD_GROUPS_MAXIMUM } from '../../src/domain/access.ts'
import { KEY_LEAD } from '../../src/domain/assertion.ts'
import { startServer } from '../../src/http/server.ts'
import * as signingKeys from '../../src/store/signing-keys.ts'
import { temporaryFolder } from '../support/apache.ts'
import { contents, type ProtectedWorld, startProtected } from '../support/protected.ts'

const root = join(import.meta.dirname, '../..')
const operator = { operator: 'test' }
const HEADER = 'X-Watchword-Assertion'

/** What the application of the guide knows of who sent a request. */
interface Sender {
  readonly id: string
  readonly name: string
  readonly groups: readonly string[]
}

const place = (path: string, policy: string) => `
  <Location "${path}">
    Include watchword/protect-${policy}.conf
  </Location>`

const own = { users: [], networks: [], within: undefined, proof: 'two-factor' } as const

// Real Apache before an application that checks what it is sent by the code of the guide (SEC-PXY-4).
describe('an application that is sent assertions', () => {
  let here: ProtectedWorld
  let application: http.Server
  let keyServer: Awaited<ReturnType<typeof startServer>>
  let keysAt = ''
  const folder = temporaryFolder('ww-assertions-')
  let whoSent: (request: IncomingMessage) => Promise<Sender>
  let people = 0

  before(async () => {
    application = http.createServer(async (request, response) => {
      const sender = await whoSent(request).catch((error: Error) => ({ refused: error.message }))
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ sender, headers: request.rawHeaders }))
    })
    await once(application.listen(0, '127.0.0.1'), 'listening')
    const { port } = application.address() as AddressInfo
    const host = (folder: string) => `
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/cgi/" "${folder}/cgi/"
  ProxyPass "/app" "http://127.0.0.1:${port}/app"
  <Directory "${folder}">
    Require all granted
  </Directory>
  ${place('/', 'told')}
  ${place('/app/staff', 'staff-told')}
  ${place('/app/untold', 'two-factor')}`
    here = await startProtected({
      files: contents,
      policies: {
        told: { ...own, groups: [], access: ['session', 'app-password'], assertion: true, lease: 30 },
        'staff-told': { ...own, groups: ['staff'], access: ['session'], assertion: true, lease: 30 },
      },
      toml: `[policies.told]
access = ["session", "app-password"]
assertion = true
[policies.staff-told]
groups = ["staff"]
assertion = true
`,
      wiki: host,
      shop: host,
    })
    const { world } = here
    const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
    keyServer = await startServer(world.app, listen, world.edge.securityHeaders)
    keysAt = `${keyServer.address}/.well-known/jwks.json`
    whoSent = await codeOfTheGuide()
    await changeGroup(world.services, { kind: 'create', group: 'staff' }, operator)
  })
  after(async () => {
    await here?.close()
    application?.close()
    await keyServer?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The example of docs/apache.md, as it stands there but for the names of the hosts. */
  async function codeOfTheGuide(): Promise<typeof whoSent> {
    const guide = readFileSync(join(root, 'docs/apache.md'), 'utf8')
    const [, code = ''] = /```js\n([\s\S]*?createRemoteJWKSet[\s\S]*?)```/.exec(guide) ?? []
    const replaced = code
      .replace('https://auth.example.com/.well-known/jwks.json', keysAt)
      .replace("'https://wiki.example.net'", `'${here.wiki}'`)
    assert.notEqual(replaced, code)
    const at = mkdtempSync(join(folder, 'application-'))
    symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'))
    writeFileSync(join(at, 'who-sent.mjs'), replaced)
    return (await import(pathToFileURL(join(at, 'who-sent.mjs')).href)).whoSent
  }

  /** Applications have the time of the machine. */
  const synchronise = () => here.world.clock.set(Math.floor(Date.now() / 1000))

  async function somebody(groups: readonly string[] = [], host = here.wiki) {
    synchronise()
    const person = await here.world.enrolled(`person${people++}`, { groups })
    synchronise()
    const visitor = here.visitor(person.browser)
    await visitor.open(`${host}/index.html`)
    return { ...person, visitor }
  }
  type Somebody = Awaited<ReturnType<typeof somebody>>

  async function ask({ visitor }: Pick<Somebody, 'visitor'>, path: string, headers = {}, host = here.wiki) {
    synchronise()
    const { status, body } = await visitor.get(`${host}${path}`, headers)
    assert.equal(status, 200, body)
    const { sender, headers: raw } = JSON.parse(body) as { sender: unknown; headers: string[] }
    const values = raw.filter((_, at) => at % 2 === 1 && fold(raw[at - 1] ?? '') === fold(HEADER))
    return { sender, raw, assertion: values[0] ?? '', values }
  }

  it('knows who it is, by the code of the guide', async () => {
    const person = await somebody(['staff'])
    const { sender, assertion } = await ask(person, '/app')
    assert.deepEqual(sender, { id: person.id, name: person.username, groups: ['staff'] })
    const { iat = 0, ...claims } = decodeJwt(assertion)
    assert.deepEqual(claims, {
      iss: 'https://auth.example.com',
      aud: here.wiki,
      sub: person.id,
      preferred_username: person.username,
      groups: ['staff'],
      amr: ['pwd', 'otp'],
      auth_time: claims.auth_time,
      exp: iat + 60,
    })
    const { auth_time } = await here.world.services.db
      .selectFrom('session')
      .select('auth_time')
      .where('user_id', '=', person.id)
      .executeTakeFirstOrThrow()
    assert.equal(claims.auth_time, auth_time)
  })

  it('knows which program it is that came for somebody', async () => {
    const { username } = await somebody()
    const wanted = { name: 'git', policies: ['told'], days: undefined }
    const made = await makeAppPasswordFor(here.world.services, username, { wanted, by: operator })
    assert.ok(made.kind === 'made')
    const credentials = Buffer.from(`${username}:${made.appPassword}`).toString('base64')
    const program = { visitor: here.visitor() }
    const { assertion, raw } = await ask(program, '/app', { authorization: `Basic ${credentials}` })
    const { amr, auth_time, preferred_username } = decodeJwt(assertion)
    assert.deepEqual([preferred_username, amr, auth_time], [username, ['app-password'], undefined])
    assert.ok(!raw.includes(`Basic ${credentials}`))
  })

  it('never sees what a client sends in its place, in whichever spelling (M-07, M-08, FT-HDR-1)', async () => {
    const [person, other] = [await somebody(), await somebody()]
    const { assertion: foreign } = await ask(other, '/app')
    for (const path of ['/app', '/app/untold']) {
      for (const spelling of spellings(HEADER)) {
        for (const connection of ['close', `close, ${HEADER}`, `${spelling}, close`]) {
          const { values, raw, assertion } = await ask(person, path, {
            [spelling]: foreign,
            connection,
          })
          assert.ok(!raw.includes(foreign), `${path} ${spelling} ${connection}`)
          if (path === '/app/untold') assert.deepEqual(values, [])
          else assert.deepEqual([values.length, decodeJwt(assertion).sub], [1, person.id])
        }
      }
    }
  })

  it('refuses what was made for the application of another host', async () => {
    const person = await somebody([], here.shop)
    const { sender, assertion } = await ask(person, '/app', {}, here.shop)
    assert.equal(decodeJwt(assertion).aud, here.shop)
    assert.deepEqual(sender, { refused: 'unexpected "aud" claim value' })
  })

  it('refuses one that has ended, and one under a key that was not published', async () => {
    const { assertion } = await ask(await somebody(), '/app')
    const { exp = 0 } = decodeJwt(assertion)
    const keys = createRemoteJWKSet(new URL(keysAt))
    const at = (seconds: number) => jwtVerify(assertion, keys, { currentDate: new Date(seconds * 1000) })
    await at(exp - 1)
    await assert.rejects(at(exp), { code: 'ERR_JWT_EXPIRED' })
    const [header = '', payload = '', signature = ''] = assertion.split('.')
    const other = Buffer.from(signature, 'base64url')
    other[0] = (other[0] ?? 0) ^ 1
    await assert.rejects(jwtVerify(`${header}.${payload}.${other.toString('base64url')}`, keys), {
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    })
  })

  it('goes on through a rotation: what was signed before and after it counts (SEC-CRY-6)', async () => {
    const person = await somebody()
    const before = await ask(person, '/app')
    const rotated = await rotateSigningKey(here.world.services, { atOnce: false, by: operator })
    assert.ok(rotated.kind === 'rotated')
    const { clock } = here.world
    clock.advance(KEY_LEAD)
    const { body } = await person.visitor.get(`${here.wiki}/app`)
    const { headers } = JSON.parse(body) as { headers: string[] }
    const after = headers[headers.indexOf(HEADER) + 1] ?? ''
    const keys = createRemoteJWKSet(new URL(keysAt))
    const currentDate = new Date(clock.now() * 1000)
    const { protectedHeader } = await jwtVerify(after, keys, { currentDate })
    assert.equal(protectedHeader.kid, rotated.keyId)
    await jwtVerify(before.assertion, keys)
  })

  it('that is a program of Apache has it in its environment, and never our cookie', async () => {
    const { visitor, id } = await somebody()
    const { body } = await visitor.get(`${here.wiki}/cgi/env`)
    const assertion = /^WW_ASSERTION=(.*)$/m.exec(body)?.[1] ?? ''
    assert.equal(decodeJwt(assertion).sub, id)
    assert.ok(!body.includes(visitor.jars.get(here.wiki)?.get('__Host-watchword-site') ?? '?'))
  })

  describe('of somebody in many groups', () => {
    const names = Array.from({ length: 127 }, (_, at) => `department-${at}`)
    let person: Somebody
    before(async () => {
      for (const group of names) await changeGroup(here.world.services, { kind: 'create', group }, operator)
      person = await somebody(['staff'])
    })
    const join = async (groups: readonly string[]) => {
      for (const group of groups) {
        await changeGroup(here.world.services, { kind: 'add', group, who: person.username }, operator)
      }
    }

    it('is told all of them while they fit into what Apache takes', async () => {
      const fitting = names.slice(0, 126)
      await join(fitting)
      const { assertion, sender } = await ask(person, '/app')
      const { groups } = decodeJwt<{ groups: string[] }>(assertion)
      assert.deepEqual(groups.toSorted(), [...fitting, 'staff'].toSorted())
      assert.equal(JSON.stringify(groups).length, TOLD_GROUPS_MAXIMUM - 7)
      assert.equal((sender as Sender).id, person.id)
    })

    it('is told those that its policy names, where all are too many, and is not reached under another', async () => {
      await join(names.slice(126, 127))
      synchronise()
      assert.equal((await person.visitor.get(`${here.wiki}/app`)).status, 403)
      const { sender, raw } = await ask(person, '/app/staff')
      assert.deepEqual(sender, { id: person.id, name: person.username, groups: ['staff'] })
      assert.equal(raw[raw.indexOf('X-Remote-Groups') + 1], 'staff')
    })
  })

  it('is not reached while the key does not open (SEC-CRY-5)', async () => {
    const person = await somebody()
    const { services, clock } = here.world
    const keys = await signingKeys.list(services.db)
    await rotateSigningKey(services, { atOnce: true, by: operator })
    const [key] = await signingKeys.list(services.db)
    await signingKeys.reseal(services.db, key?.id ?? '', key?.sealedKey ?? '', keys[0]?.sealedKey ?? '')
    clock.advance(30)
    assert.equal((await person.visitor.get(`${here.wiki}/app`)).status, 503)
    await rotateSigningKey(services, { atOnce: true, by: operator })
    clock.advance(30)
    assert.equal((await person.visitor.get(`${here.wiki}/app`)).status, 200)
  })
})

/** As applications fold names of headers into variables. */
const fold = (name: string) => name.toLowerCase().replaceAll('_', '-')
