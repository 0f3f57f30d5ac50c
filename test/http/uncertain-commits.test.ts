import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { disableUser } from '../../src/actions/disable-user.ts'
import { openLeaseFolder } from '../../src/apache/leases/folder.ts'
import { UncertainCommit } from '../../src/domain/faults.ts'
import { submit } from '../support/forms.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { atStatement, type Fault, nth, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import {
  type Browser,
  type Enrolled,
  expectStatus,
  PASSWORD,
  phoneOf,
  type Reply,
  startWorld,
  type World,
} from '../world.ts'
import { errorOf, halfSignedIn, isSignedIn, recoveryCodes, signIn, stranger } from './journeys.ts'

let folder: string
let postgres: Postgres
let proxy: TcpProxy
let world: World
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ww-uncertain-'))
  postgres = await startPostgres()
  await postgres.createDatabase('watchword')
  proxy = await startTcpProxy({ to: { path: join(postgres.folder, '.s.PGSQL.5432') }, protocol: 'postgres' })
  const leaseDirectory = join(folder, 'leases')
  world = await startWorld({
    databaseUrl: `postgres://postgres@127.0.0.1:${proxy.port}/watchword`,
    config: { authorizer: { leaseDirectory } },
  })
})
after(async () => {
  await world?.close()
  await proxy?.stop()
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

afterEach(() => proxy.mend())

const commit = atStatement(/^commit$/)

/** Everything that can become of a commit whose answer does not arrive. */
const ends = [
  { by: 'lose', stored: 'no' },
  { by: 'lose-answer', stored: 'yes' },
  { by: 'cut', stored: 'perhaps' },
] as const

/** What is answered when the n-th commit of a call is lost in this way. */
async function losing(call: () => Promise<Reply>, by: Fault['by'], n = 1): Promise<Reply> {
  const happened = proxy.fail({ at: nth(n, commit), by })
  const reply = await call()
  await happened
  await untilQuiet()
  assert.deepEqual(errorOf(reply), [503, 'outcome_unknown'])
  assert.equal(reply.headers.get('retry-after'), '30')
  assert.match(reply.body.error, /counts as used: wait for the next one/)
  assert.deepEqual(reply.setCookies, [])
  return reply
}

/** Waits until PostgreSQL has done with what was cut. */
async function untilQuiet(): Promise<void> {
  const client = new Client({ connectionString: postgres.url('watchword') })
  await client.connect()
  const open = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`
  while ((await client.query(open)).rows.length > 0) await delay(10)
  await client.end()
}

/** How often one code opens something: at the login it was sent to, at a new one, and with all three at once. */
async function accepted(
  { username }: Pick<Enrolled, 'username'>,
  code: string,
  half: Browser,
): Promise<number> {
  const again = stranger(world)
  await expectStatus(again.post('/auth/login/', { username, password: PASSWORD }), 200)
  const replies = [
    await half.post('/auth/verify/', { otp: code }),
    await again.post('/auth/verify/', { otp: code }),
    await stranger(world).post('/auth/authenticate/', { username, password: PASSWORD, otp: code }),
  ]
  for (const { status } of replies) assert.ok([200, 400, 401].includes(status), String(status))
  return replies.filter(({ status }) => status === 200).length
}

describe('a commit whose answer is lost (FT-DB-1)', () => {
  for (const { by, stored } of ends) {
    it(`signs nobody in, and the code is never taken twice: ${by}`, async () => {
      const user = await world.enrolled(`code-${by}`)
      const half = await halfSignedIn(world, user.username)
      const code = user.phone.code()
      await losing(() => half.post('/auth/verify/', { otp: code }), by)
      assert.equal(await isSignedIn(half), false)
      const times = await accepted(user, code, half)
      if (stored === 'yes') assert.equal(times, 0)
      else assert.ok(times <= 1)
      world.clock.advance(30)
      assert.equal(await isSignedIn(await signIn(world, user)), true)
    })

    it(`takes no recovery code twice: ${by}`, async () => {
      const user = await world.enrolled(`recovery-${by}`)
      const [code = ''] = await recoveryCodes(user.browser)
      const half = await halfSignedIn(world, user.username)
      // The charge is the first commit, the use of the code the second.
      await losing(() => half.post('/auth/verify/', { otp: code }), by, 2)
      assert.equal(await isSignedIn(half), false)
      const times = await accepted(user, code, half)
      if (stored === 'yes') assert.equal(times, 0)
      else assert.ok(times <= 1)
    })

    it(`leaves one password that holds: ${by}`, async () => {
      const user = await world.enrolled(`password-${by}`)
      const fresh = 'another horse battery staple'
      const fields = { current_password: PASSWORD, new_password: fresh }
      // The attempt is charged first, and settled with the change.
      await losing(() => user.browser.post('/auth/password/', fields), by, 2)
      const holds = await Promise.all(
        [PASSWORD, fresh].map(async (password) => {
          const reply = await stranger(world).post('/auth/login/', { username: user.username, password })
          return reply.status === 200
        }),
      )
      assert.deepEqual(holds.toSorted(), [false, true])
      if (stored !== 'perhaps') assert.deepEqual(holds, [stored === 'no', stored === 'yes'])
    })
  }

  it('an authenticator is bound by its first code or not, and that code opens nothing more', async () => {
    for (const { by, stored } of ends) {
      const username = `enrols-${by}`
      await world.user(username)
      const half = await halfSignedIn(world, username, 'enrol-totp')
      const { body } = await expectStatus(half.post('/auth/register-secret/'), 200)
      const phone = phoneOf(world.clock, body.shared_secret)
      const otp = phone.code()
      await losing(() => half.post('/auth/verify/', { otp }), by)
      assert.equal(await isSignedIn(half), false)
      const { next } = (await stranger(world).post('/auth/login/', { username, password: PASSWORD })).body
      if (stored !== 'perhaps') assert.equal(next, stored === 'yes' ? 'totp' : 'enrol-totp')
      const times = await accepted({ username }, otp, half)
      assert.ok(times <= (stored === 'yes' ? 0 : 1))
      world.clock.advance(30)
      assert.equal(await isSignedIn(await signIn(world, { username, phone })), times === 1 || next === 'totp')
    }
  })

  it('the audit log has the number of the request that was told 503', async () => {
    const user = await world.enrolled('audited')
    const half = await halfSignedIn(world, user.username)
    const reply = await losing(() => half.post('/auth/verify/', { otp: user.phone.code() }), 'lose-answer')
    const { event, outcome } = await world.services.db
      .selectFrom('audit_event')
      .select(['event', 'outcome'])
      .where('request_id', '=', reply.headers.get('x-request-id'))
      .executeTakeFirstOrThrow()
    assert.deepEqual([event, outcome], ['signed-in', 'success'])
  })

  it('tells somebody at a page the same, in their language', async () => {
    const user = await world.enrolled('reader')
    const half = await halfSignedIn(world, user.username)
    half.cookies.set('watchword-language', 'de')
    const page = await half.get('/login')
    const happened = proxy.fail({ at: commit, by: 'lose-answer' })
    const reply = await submit(half, page, '/login', {
      step: 'code',
      from: 'app',
      tries: '0',
      return_to: '',
      otp: user.phone.code(),
    })
    await happened
    assert.equal(reply.status, 503)
    assert.match(reply.text, /gilt als verbraucht: Warten Sie auf den nächsten/)
    assert.equal(await isSignedIn(half), false)
  })

  it('ends leases whether the change was stored or not (FT-REV-1)', async () => {
    const directory = world.config.authorizer.leaseDirectory ?? ''
    const leases = openLeaseFolder(directory, world.services.newId)
    for (const { by } of ends) {
      const { id } = await world.enrolled(`leased-${by}`)
      leases.prepare(id, 'x').publish({ policy: 'two-factor', userId: id, name: `lease-${by}` })
      const lease = join(directory, 'policies', 'two-factor', `lease-${by}`)
      assert.equal(existsSync(lease), true)
      const happened = proxy.fail({ at: commit, by })
      const disabling = disableUser(world.services, { id }, { operator: 'test' })
      await assert.rejects(disabling, UncertainCommit)
      await happened
      await untilQuiet()
      assert.equal(existsSync(lease), false)
    }
  })
})

describe('a connection that is lost before the commit (FT-DB-1)', () => {
  it('changes nothing, whichever statement it was, and the next sign-in is answered (SEC-CON-1)', async () => {
    const user = await world.enrolled('midway')
    for (let n = 2; ; n += 5) {
      const statement: Fault['at'] = ({ from, type }) => from === 'client' && (type === 'P' || type === 'Q')
      void proxy.fail({ at: nth(n, statement), by: 'lose' })
      const credentials = { username: user.username, password: PASSWORD, otp: user.phone.code() }
      const reply = await stranger(world).post('/auth/authenticate/', credentials)
      proxy.mend()
      if (reply.status === 200) {
        assert.ok(n > 10, 'no statement was lost')
        return
      }
      assert.equal(reply.status, 503)
      assert.deepEqual(reply.setCookies, [])
      // The same code: it was spent with a commit that was lost, or not at all.
      if (reply.body.code === 'outcome_unknown') world.clock.advance(30)
      else assert.equal(reply.body.code, 'storage_unavailable')
      assert.equal(await isSignedIn(await signIn(world, user)), true)
    }
  })
})
