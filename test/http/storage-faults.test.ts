import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { routes } from '../../src/http/api/routes.ts'
import { expectStatus, PASSWORD, phoneOf, type Reply, startWorld, type World } from '../world.ts'
import { errorOf, halfSignedIn, isSignedIn, signIn, stranger } from './journeys.ts'

let world: World
let saboteur: DatabaseSync
beforeEach(async () => {
  world = await startWorld()
  assert.equal(world.config.database.kind, 'sqlite')
  saboteur = new DatabaseSync('path' in world.config.database ? world.config.database.path : '')
})
afterEach(async () => {
  saboteur.close()
  await world.close()
})

const tables = [
  'user',
  'password_hash',
  'otp_device',
  'login',
  'session',
  'known_browser',
  'invitation',
  'attempts',
  'audit_event',
]

/** Runs a statement beside the server, once the server has let go of the file. */
const sabotage = async (sql: string) => {
  for (let turn = 0; ; turn++) {
    try {
      return saboteur.exec(sql)
    } catch (error) {
      // The transaction of a refused request is rolled back in the next round of the event loop.
      if (turn > 100 || !/locked/.test(String(error))) throw error
      await new Promise(setImmediate)
    }
  }
}

/** Takes tables away, as a damaged or foreign database would, and gives them back. */
const away = async (names: readonly string[]) => {
  await sabotage('PRAGMA legacy_alter_table = ON; PRAGMA foreign_keys = OFF')
  for (const name of names) await sabotage(`ALTER TABLE "${name}" RENAME TO "${name}_away"`)
  return async () => {
    for (const name of names) await sabotage(`ALTER TABLE "${name}_away" RENAME TO "${name}"`)
  }
}

/** Makes every write of one kind to one table fail, as a full disk would at that very moment (FT-IO-1). */
const failing = async (operation: string, table: string) => {
  const name = `fails_${operation}_${table}`
  const event = `BEFORE ${operation} ON "${table}"`
  await sabotage(`CREATE TRIGGER ${name} ${event} BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`)
  return () => sabotage(`DROP TRIGGER ${name}`)
}

const assertUnavailable = (reply: Reply, what: string) => {
  assert.deepEqual(errorOf(reply), [503, 'storage_unavailable'], what)
  assert.equal(reply.headers.get('retry-after'), '5')
  assert.deepEqual(reply.setCookies, [], what)
  assert.doesNotMatch(reply.text, /sqlite|table|column|no such|I\/O/i)
}

describe('while the database is gone (SEC-ERR-2, SEC-ERR-3)', () => {
  it('every route that needs it says 503, and nobody is signed in', async () => {
    const user = await world.enrolled('present')
    const half = await halfSignedIn(world, 'present')
    const code = user.phone.code()
    const restore = await away(tables)
    const all = { username: 'present', password: PASSWORD, otp: code }
    const link = { code: 'x'.repeat(43), password: 'a new and longer password' }
    const bodies: Record<string, object> = {
      '/auth/invitation/': link,
      '/auth/setup/': { ...link, username: 'first' },
      '/auth/login/': { username: 'present', password: PASSWORD },
      '/auth/authenticate/': all,
      '/auth/verify/': { otp: code },
      '/auth/devices/:id/': { name: 'x' },
      '/auth/password/': { current_password: PASSWORD, new_password: 'a new and longer password' },
    }
    const open = ['/healthz', '/metrics', '/openapi.json', '/readyz']
    for (const { method, path } of routes.filter(({ path }) => !open.includes(path))) {
      for (const browser of [user.browser.clone(), half.clone()]) {
        const fields = bodies[path]
        if (browser.cookies.size === 1 && method === 'GET') continue
        const init =
          method === 'POST' || method === 'PATCH'
            ? { method, body: JSON.stringify(fields ?? {}), headers: { 'content-type': 'application/json' } }
            : { method }
        const reply = await browser.send(path.replace(':id', 'x'), init)
        // Where a session is needed and none is even claimed, there is nothing to ask the database.
        if (reply.status === 401 && !browser.cookies.has('__Host-watchword-session')) continue
        assertUnavailable(reply, `${method} ${path}`)
      }
    }
    await restore()
    assert.equal(await isSignedIn(user.browser), true)
    assert.equal((await half.post('/auth/verify/', { otp: code })).status, 200)
  })

  it('readyz says 503 when migrations are missing and when nothing answers, healthz goes on', async () => {
    const names = saboteur.prepare("SELECT name FROM sqlite_master WHERE name LIKE '%migration%'").all()
    const migrations = names.map(({ name }) => String(name)).filter((name) => !name.includes('autoindex'))
    assert.ok(migrations.length > 0)
    const restore = await away(migrations)
    const reply = await stranger(world).get('/readyz')
    assert.equal(reply.status, 503)
    assert.ok(['not_ready', 'storage_unavailable'].includes(reply.body.code))
    assert.equal((await stranger(world).get('/healthz')).status, 200)
    await restore()
    assert.equal((await stranger(world).get('/readyz')).status, 200)
  })

  it('stays ready when a newer program has migrated: the rest of the nodes follow one by one', async () => {
    saboteur.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', 'now')")
    assert.equal((await stranger(world).get('/readyz')).status, 200)
    saboteur.exec("DELETE FROM kysely_migration WHERE name = '9999-later'")
  })

  it('a closed database lets nobody in', async () => {
    const user = await world.enrolled('closing')
    await world.services.db.destroy()
    const login = await stranger(world).post('/auth/login/', { username: 'closing', password: PASSWORD })
    for (const reply of [
      await user.browser.get('/auth/session/'),
      login,
      await stranger(world).get('/readyz'),
    ]) {
      assert.ok(reply.status >= 500)
      assert.deepEqual(reply.setCookies, [])
    }
    assert.equal((await stranger(world).get('/healthz')).status, 200)
  })
})

describe('when a write fails in the middle of a sign-in (FT-IO-1, L-17)', () => {
  const writes = [
    ['INSERT', 'session'],
    ['UPDATE', 'user'],
    ['INSERT', 'known_browser'],
    ['INSERT', 'audit_event'],
    ['UPDATE', 'otp_device'],
    ['INSERT', 'attempts'],
    ['DELETE', 'attempts'],
    ['UPDATE', 'attempts'],
    ['DELETE', 'login'],
  ] as const

  for (const [operation, table] of writes) {
    it(`${operation} of ${table}: nobody is signed in, and the code is good afterwards`, async () => {
      const user = await world.enrolled('unlucky')
      const half = await halfSignedIn(world, 'unlucky')
      const otp = user.phone.code()
      const whole = stranger(world)
      const fields = { username: 'unlucky', password: PASSWORD, otp }
      const wrong = otp === '000000' ? '000001' : '000000'
      // A wrong code before: from then on its budget has a row to be updated.
      assert.equal((await half.post('/auth/verify/', { otp: wrong })).status, 400)
      const mend = await failing(operation, table)
      // A code that is right is not charged; of one that is wrong nobody learns so before it is.
      const isCharge = table === 'attempts' && operation !== 'DELETE'
      const first = await half.post('/auth/verify/', { otp: isCharge ? wrong : otp })
      assertUnavailable(first, 'verify')
      const second = await whole.post('/auth/authenticate/', fields)
      // This way in has no login to end, so one of these writes is not its own.
      const used = table === 'login'
      assert.equal(second.status, used ? 200 : 503)
      if (!used) assertUnavailable(second, 'authenticate')
      await mend()
      assert.equal(await isSignedIn(whole), used)
      assert.equal(await isSignedIn(half), false)
      if (used) return
      assert.equal((await half.post('/auth/verify/', { otp })).status, 200)
      assert.equal((await whole.post('/auth/authenticate/', fields)).status, 400)
    })
  }

  it('an enrolment is wholly there or wholly absent', async () => {
    for (const [operation, table] of [
      ['UPDATE', 'otp_device'],
      ['UPDATE', 'user'],
      ['INSERT', 'session'],
      ['INSERT', 'audit_event'],
      ['DELETE', 'login'],
    ] as const) {
      const username = `new-${operation}-${table.replace('_', '-')}`.toLowerCase()
      await world.user(username)
      const browser = await halfSignedIn(world, username, 'enrol-totp')
      const { body } = await expectStatus(browser.post('/auth/register-secret/'), 200)
      const otp = phoneOf(world.clock, body.shared_secret).code()
      const mend = await failing(operation, table)
      assertUnavailable(await browser.post('/auth/verify/', { otp }), `${operation} ${table}`)
      await mend()
      assert.equal(await isSignedIn(browser), false)
      // Nothing was bound: the login still waits for the same code.
      assert.equal((await browser.post('/auth/verify/', { otp })).body.next, 'done', `${operation} ${table}`)
    }
  })

  it('a recovery code is good or used, and never used for nothing', async () => {
    const { browser, username } = await world.enrolled('recovers')
    const codes = (await browser.post('/auth/recovery-codes/')).body.recovery_codes
    for (const [index, [operation, table]] of (
      [
        ['DELETE', 'recovery_code'],
        ['INSERT', 'session'],
        ['INSERT', 'audit_event'],
      ] as const
    ).entries()) {
      const half = await halfSignedIn(world, username)
      const mend = await failing(operation, table)
      assertUnavailable(await half.post('/auth/verify/', { otp: codes[index] }), table)
      await mend()
      assert.equal(await isSignedIn(half), false)
      assert.equal((await half.post('/auth/verify/', { otp: codes[index] })).status, 200, table)
    }
  })

  it('a change of the password is wholly there or wholly absent', async () => {
    const user = await world.enrolled('changing')
    const fields = { current_password: PASSWORD, new_password: 'a new and longer password' }
    for (const [operation, table] of [
      ['UPDATE', 'password_hash'],
      ['INSERT', 'session'],
      ['INSERT', 'audit_event'],
    ] as const) {
      const mend = await failing(operation, table)
      assertUnavailable(await user.browser.post('/auth/password/', fields), table)
      await mend()
      assert.equal(await isSignedIn(user.browser), true)
      await halfSignedIn(world, 'changing')
    }
    assert.equal((await user.browser.post('/auth/password/', fields)).status, 200)
  })

  it('a sign-out that failed is not called done', async () => {
    const user = await world.enrolled('leaving')
    const mend = await failing('DELETE', 'session')
    assertUnavailable(await user.browser.post('/auth/logout/'), 'logout')
    await mend()
    assert.equal((await user.browser.post('/auth/logout/')).status, 200)
    assert.equal(await isSignedIn(user.browser), false)
  })

  it('somebody else who writes to the file for a moment only makes people wait (FT-DB-2)', async () => {
    const user = await world.enrolled('queueing')
    await sabotage('BEGIN IMMEDIATE')
    const fields = { username: 'queueing', password: PASSWORD, otp: user.phone.code() }
    const waiting = stranger(world).post('/auth/authenticate/', fields)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    assert.equal(await isSignedIn(user.browser), true)
    saboteur.exec('COMMIT')
    assert.equal((await waiting).status, 200)
  })

  it('others sign in again as soon as it is over (I7)', async () => {
    const user = await world.enrolled('back')
    const mend = await failing('INSERT', 'session')
    for (let i = 0; i < 4; i++) {
      const fields = { username: 'back', password: PASSWORD, otp: user.phone.code() }
      assertUnavailable(await stranger(world).post('/auth/authenticate/', fields), 'authenticate')
    }
    await mend()
    assert.equal(await isSignedIn(await signIn(world, user)), true)
    assert.equal(saboteur.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok')
    assert.deepEqual(saboteur.prepare('PRAGMA foreign_key_check').all(), [])
  })
})
