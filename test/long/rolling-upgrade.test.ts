import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { timeStepAt, totpCode } from '../../src/domain/otp/totp.ts'
import type { UserId } from '../../src/domain/user.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import * as users from '../../src/store/users.ts'
import { isInTime } from '../support/pace.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { environment, startWatchword, type Watchword } from '../support/watchword.ts'
import { PASSWORD } from '../world.ts'

const PEOPLE = 1000
const EVENTS = 50_000
const KEY = createHash('sha1').update('a key of this test').digest()
const TOTP = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const
/** What this version brings beyond the one before it. */
const NEW = ['0009-audit-months', '0010-few-users', '0011-purge-turn']
/** A request that has to wait for a table is answered after the time that it waits for a lock, and what it takes beside. */
const LONGEST_ANSWER_MS = 8000

const program = [join(import.meta.dirname, '../support/other-version.ts')]

describe('an upgrade of one node after another, while people sign in (FT-UPG-1, SEC-DB-3)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'watchword-upgrade-'))
  let cluster: Postgres
  let env: Record<string, string>
  let client: Client
  before(async () => {
    cluster = await startPostgres()
    const url = await cluster.createDatabase('upgrade')
    env = environment(folder, {
      WATCHWORD_DATABASE: url,
      WATCHWORD_LISTEN: '127.0.0.1:0',
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      WATCHWORD_TRUSTED_PROXIES: '127.0.0.1',
    })
    await fillAsBefore(folder, env)
    client = new Client({ connectionString: url })
    await client.connect()
  })
  after(async () => {
    await client.end()
    await cluster.stop()
    rmSync(folder, { recursive: true })
  })

  it('nobody notices: no request fails, no sign-in is lost, and the old node stays ready until it is stopped', async () => {
    const old = await startWatchword(folder, { ...env, TEST_WITHOUT_MIGRATIONS: NEW.join() }, program)
    const nodes = [old]
    const load = signInAllTheTime(nodes)
    try {
      await load.until(20)
      // A backup reads the log of events, and whoever changes that table has to wait for it.
      await client.query('BEGIN')
      await client.query('SELECT id FROM audit_event LIMIT 1')
      const starting = startWatchword(folder, { ...env, TEST_WITH_A_LATER_MIGRATION: 'yes' }, program)
      await heldUp(cluster)
      await load.until(load.count() + 20)
      const { rows } = await client.query(
        `SELECT name FROM kysely_migration WHERE name = '0009-audit-months'`,
      )
      assert.deepEqual(rows, [], 'the backup was not waited for')
      await client.query('COMMIT')
      const upgraded = await starting
      assert.equal((await fetch(`${old.address}/readyz`)).status, 200)
      nodes.push(upgraded)
      await load.until(load.count() + 40)
      nodes.shift()
      await load.until(load.count() + 20)
      assert.equal(await old.stop(), 0)
      const signedIn = await load.end()

      for (const cookie of signedIn) {
        const answer = await fetch(`${upgraded.address}/auth/session/`, { headers: { cookie } })
        assert.equal(answer.status, 200, 'an acknowledged sign-in was lost')
      }
      const events = await client.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM audit_event WHERE event = 'signed-in' AND request_id <> 'before'`,
      )
      assert.ok(signedIn.length >= 100, `${signedIn.length} sign-ins`)
      assert.equal(events.rows[0]?.count, signedIn.length)
      const past = await client.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM audit_event_past',
      )
      assert.ok((past.rows[0]?.count ?? 0) > EVENTS)
      await assert.rejects(
        startWatchword(folder, { ...env, TEST_WITHOUT_MIGRATIONS: NEW.join() }, program),
        /newer than this program: it knows 0009-audit-months, 0010-few-users, 0011-purge-turn, 9999-later/,
      )
      await upgraded.stop()
    } finally {
      await load.end()
      for (const node of nodes) await node.kill()
    }
  })
})

/** Resolves when a migration has given up its wait for a table once, so that others could go on. */
async function heldUp({ log }: Postgres): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!/canceling statement due to lock timeout[\s\S]*alter table/.test(log())) {
    assert.ok(performance.now() < deadline, 'no migration waited for the backup')
    await delay(50)
  }
}

/** People and events in a database as the version before has it, with its key file. */
async function fillAsBefore(cwd: string, env: Record<string, string>): Promise<void> {
  for (const name of NEW) delete (migrations as Record<string, unknown>)[name]
  const { password, ...config } = loadConfig({ cwd, env })
  const { services, close } = await compose({ ...config, password: { ...password, memoryKib: 8, passes: 1 } })
  const { db, sealer, hasher, newId } = services
  const now = services.now()
  using turn = hasher.enter()
  const hash = await turn?.hash(PASSWORD)
  assert.ok(hash)
  await db.transaction().execute(async (tx) => {
    for (let index = 0; index < PEOPLE; index++) {
      const userId = newId() as UserId
      const deviceId = newId()
      const user = { id: userId, username: `user${index}`, displayName: '', isSuperuser: false }
      await users.insert(tx, user, now)
      await passwordHashes.put(tx, userId, { hash, mustChange: false, now })
      await users.setSecondFactor(tx, userId, true)
      const sealedKey = sealer.seal(KEY, { purpose: 'otp-key', userId, deviceId })
      const rest = { name: 'Phone', drift: 0, lastUsedStep: -1, counter: 0, createdAt: now }
      await otpDevices.insertConfirmed(
        tx,
        { id: deviceId, userId, sealedKey, kind: 'totp', ...TOTP, ...rest },
        now,
      )
    }
  })
  await close()
  const client = new Client({ connectionString: env.WATCHWORD_DATABASE })
  await client.connect()
  await client.query(`INSERT INTO audit_event (id, at, event, outcome, actor_kind, request_id, fields)
    SELECT lpad(n::text, 26, '0'), ${now} - n, 'signed-in', 'success', 'anonymous', 'before', '{}' FROM generate_series(1, ${EVENTS}) AS numbers(n)`)
  await client.end()
}

/** Six people at any time who sign in, each after another, wherever a node is. */
function signInAllTheTime(nodes: readonly Watchword[]) {
  const cookies: string[] = []
  const failures: string[] = []
  const usedStep = new Int32Array(PEOPLE).fill(-1)
  let next = 0
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver) {
      const index = next++ % PEOPLE
      const step = timeStepAt(Math.floor(Date.now() / 1000), TOTP)
      if (usedStep[index] === step) {
        await delay(50)
        continue
      }
      usedStep[index] = step
      const node = nodes[index % nodes.length]
      const began = performance.now()
      const credentials = { username: `user${index}`, password: PASSWORD, otp: totpCode(KEY, step, TOTP) }
      const answer = await fetch(`${node?.address}/auth/authenticate/`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `10.${index >> 8}.${index & 255}.1`,
        },
        body: JSON.stringify(credentials),
      })
      const text = await answer.text()
      const took = performance.now() - began
      const [cookie] = answer.headers
        .getSetCookie()
        .flatMap((line) => /^__Host-watchword-session=[^;]+/.exec(line) ?? [])
      if (answer.status === 200 && cookie !== undefined) cookies.push(cookie)
      else if (answer.status !== 503 || !text.includes('storage_unavailable'))
        failures.push(`${answer.status} ${text}`)
      if (!(await isInTime(took, LONGEST_ANSWER_MS))) failures.push(`an answer took ${took.toFixed(0)} ms`)
    }
  }
  const all = Promise.all(Array.from({ length: 6 }, one))
  all.catch((error: unknown) => failures.push(String(error)))
  return {
    count: () => cookies.length,
    /** Resolves when so many have signed in. */
    async until(count: number): Promise<void> {
      const deadline = performance.now() + 300_000
      while (cookies.length < count) {
        assert.deepEqual(failures, [])
        assert.ok(performance.now() < deadline, `only ${cookies.length} of ${count} signed in`)
        await delay(20)
      }
    },
    /** Resolves with the cookies of all sessions that were answered. */
    async end(): Promise<readonly string[]> {
      isOver = true
      await all
      assert.deepEqual(failures, [])
      return cookies
    },
  }
}
