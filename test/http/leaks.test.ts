import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { assertIdentity } from '../../src/actions/assert-identity.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { heldSigningKeys } from '../../src/actions/signing-keys.ts'
import { decodeBase32 } from '../../src/domain/otp/base32.ts'
import type { UserId } from '../../src/domain/user.ts'
import { type Browser, expectStatus, phoneOf, type Reply, startWorld, type World } from '../world.ts'
import { operator, stranger } from './journeys.ts'

/** Texts that nobody but their owner may ever see, by what they are. */
const secrets: Record<string, string[]> = {
  password: [],
  secret: [],
  code: [],
  recovery: [],
  token: [],
  key: [],
}
const mark = (kind: string, text: string) => {
  secrets[kind]?.push(text)
  return text
}

const first = mark('password', 'marker-FIRST-9f3a horse battery')
const second = mark('password', 'marker-SECOND-77c1 staple')
const wrong = mark('password', 'marker-WRONG-41d9')
const typedAsName = mark('password', 'Marker-TYPEDASNAME-5e2b')
const wrongCodes = ['917263', '80172639'].map((code) => mark('code', code))

describe('after a whole life of an account, at log level debug (FT-LEAK-1, I6, SEC-LOG-3)', () => {
  let world: World
  const log: string[] = []
  const replies: Reply[] = []
  /** Answers that show a secret, as they must, once; nothing else may. */
  const showing: Reply[] = []

  before(async () => {
    world = await startWorld({ log: (line) => log.push(line) })
    await live()
  })
  after(() => world.close())

  const seen = async (reply: Promise<Reply>) => {
    const got = await reply
    replies.push(got)
    for (const line of got.setCookies) {
      const token = /=([\w-]{43});/.exec(line)?.[1]
      if (token !== undefined) mark('token', token)
    }
    return got
  }
  const shown = async (reply: Promise<Reply>) => {
    const got = await expectStatus(reply, 200)
    showing.push(got)
    return got.body
  }

  const enrol = async (browser: Browser) => {
    const { shared_secret: secret } = await shown(browser.post('/auth/register-secret/'))
    mark('secret', secret)
    const bytes = Buffer.from(decodeBase32(secret) ?? assert.fail())
    mark('secret', bytes.toString('hex'))
    mark('secret', bytes.toString('base64'))
    mark('secret', bytes.toString('latin1'))
    const phone = phoneOf(world.clock, secret)
    await seen(browser.post('/auth/verify/', { otp: mark('code', phone.code()) }))
    world.clock.advance(30)
    return phone
  }

  async function live() {
    const { services } = world
    await world.user('liver', { password: first })
    const browser = stranger(world)
    await seen(browser.post('/auth/login/', { username: 'liver', password: wrong }))
    await seen(browser.post('/auth/login/', { username: typedAsName, password: wrong }))
    await seen(browser.post('/auth/login/', { username: 'liver', password: first }))
    const phone = await enrol(browser)
    const { recovery_codes: codes } = await shown(browser.post('/auth/recovery-codes/'))
    for (const code of codes) {
      mark('recovery', code)
      mark('recovery', code.replaceAll('-', '').slice(1))
    }
    for (const path of [
      '/auth/session/',
      '/auth/devices/',
      '/auth/sessions/',
      '/auth/recovery-codes/',
      '/openapi.json',
    ]) {
      await seen(browser.get(path))
    }
    await seen(browser.post('/auth/password/', { current_password: wrong, new_password: second }))
    await seen(browser.post('/auth/password/', { current_password: first, new_password: 'liver' }))
    await seen(browser.post('/auth/password/', { current_password: first, new_password: second }))
    const all = (otp: unknown, password = second) => ({ username: 'liver', password, otp })
    for (const otp of [...wrongCodes, mark('code', phone.code()), phone.code(), codes[0], codes[0]]) {
      await seen(stranger(world).post('/auth/authenticate/', all(otp)))
      await seen(stranger(world).post('/auth/authenticate/', all(otp, wrong)))
    }
    // Refused as requests: the error must not say back what was in them.
    for (const fields of [
      all([codes[1]]),
      { ...all('1'), [second]: second },
      { username: second, password: [first] },
    ]) {
      await seen(stranger(world).post('/auth/authenticate/', fields))
    }
    const broken = `{"username":"liver","password":"${second}","otp":"${codes[1]}"`
    const init = { method: 'POST', body: broken, headers: { 'content-type': 'application/json' } }
    await seen(stranger(world).send('/auth/authenticate/', init))
    await seen(stranger(world).get(`/auth/session/?password=${encodeURIComponent(second)}&otp=${codes[1]}`))
    await seen(stranger(world).get(`/auth/${encodeURIComponent(second)}`))

    // A fault in the middle, whose report must not hold what was being stored.
    const path = 'path' in world.config.database ? world.config.database.path : ''
    const saboteur = new DatabaseSync(path)
    saboteur.exec(
      "CREATE TRIGGER fails BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
    )
    world.clock.advance(7200)
    const half = stranger(world)
    await seen(half.post('/auth/login/', { username: 'liver', password: second }))
    await seen(half.post('/auth/verify/', { otp: mark('code', phone.code()) }))
    await seen(half.post('/auth/verify/', { otp: codes[2] }))
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    saboteur.exec('DROP TRIGGER fails')
    saboteur.close()
    await seen(half.post('/auth/verify/', { otp: codes[3] }))
    await seen(half.post('/auth/logout/'))
    const reset = await resetSecondFactor(services, 'liver', operator)
    if (reset.kind === 'reset') mark('recovery', reset.recoveryCode)
    await signFor(services)
    const keys = JSON.parse(readFileSync(world.config.keyFile, 'utf8'))
    JSON.stringify(keys, (_, value) => {
      if (typeof value === 'string' && value.length >= 40) mark('key', value)
      return value
    })
  }

  /** An assertion, of which neither the text nor the private key may be anywhere. */
  async function signFor(services: World['services']) {
    const identity = { username: 'liver', groups: [], amr: ['pwd'], authTime: undefined } as const
    const hosts = { issuer: 'https://auth.example.com', audience: 'https://wiki.example.net' }
    mark('token', await assertIdentity(services, { ...identity, ...hosts, userId: 'id' as UserId }))
    const [key] = await heldSigningKeys(services)
    assert.ok(key)
    const der = services.sealer.open(key.sealedKey, { purpose: 'signing-key', keyId: key.id })
    const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
    const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? assert.fail(), 'base64url')
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      mark('key', scalar.toString(encoding))
      mark('key', Buffer.from(der).toString(encoding))
    }
  }

  const assertAbsent = (text: string, where: string) => {
    for (const [kind, markers] of Object.entries(secrets)) {
      for (const marker of markers) {
        for (const spelling of [marker, marker.toLowerCase(), encodeURIComponent(marker)]) {
          assert.equal(text.includes(spelling), false, `a ${kind} is in ${where}`)
        }
      }
    }
  }

  it('there is something to look for, of every kind', () => {
    for (const [kind, markers] of Object.entries(secrets)) assert.ok(markers.length > 0, kind)
    assert.ok(new Set(replies.map(({ status }) => status)).isSupersetOf(new Set([200, 400, 401, 404, 503])))
  })

  it('the log holds none of them', () => {
    assert.ok(log.length > 30, `${log.length} lines`)
    assert.ok(log.some((line) => line.includes('storage fault')))
    for (const line of log) {
      JSON.parse(line)
      assertAbsent(line, `the log: ${line}`)
    }
  })

  it('no answer holds them in its body, and none in a header but the cookie that gives it', () => {
    for (const { status, text, headers } of replies) {
      assertAbsent(text, `an answer ${status}: ${text}`)
      const others = [...headers].filter(([name]) => name !== 'set-cookie')
      assertAbsent(JSON.stringify(others), `a header of an answer ${status}`)
    }
  })

  it('what is shown once is shown to nobody else and holds nothing more', () => {
    for (const { headers, text } of showing) {
      assert.equal(headers.get('cache-control'), 'no-store')
      for (const kind of ['password', 'token', 'key', 'code']) {
        for (const marker of secrets[kind] ?? []) assert.equal(text.includes(marker), false, kind)
      }
    }
  })

  it('the audit log holds none of them', async () => {
    const rows = await world.services.db.selectFrom('audit_event').selectAll().execute()
    assert.ok(rows.length > 15)
    for (const row of rows) assertAbsent(JSON.stringify(row), `an audit event: ${row.event}`)
  })

  it('the bytes of the database files hold none of them', () => {
    const path = 'path' in world.config.database ? world.config.database.path : ''
    const files = ['', '-wal', '-shm', '-journal'].map((suffix) => path + suffix).filter(existsSync)
    assert.ok(files.length >= 2)
    for (const file of files) {
      const bytes = readFileSync(file)
      const text = bytes.toString('latin1')
      for (const [kind, markers] of Object.entries(secrets)) {
        for (const marker of markers) {
          assert.equal(text.includes(marker), false, `a ${kind} is in ${file}`)
          assert.equal(text.toLowerCase().includes(marker.toLowerCase()), false, `a ${kind} is in ${file}`)
          assert.equal(bytes.includes(Buffer.from(marker, 'utf16le')), false, `a ${kind} is in ${file}`)
        }
      }
    }
  })
})
