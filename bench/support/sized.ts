import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { compose } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { Services } from '../../src/services.ts'
import { makeMonths, makeMonthsOf } from '../../src/store/audit-months.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { rowsOf, type Size, YEAR } from '../../test/support/many-rows.ts'
import { settingsOf } from './data.ts'
import { OTP_KEY, SESSIONS, sessionTokenOf } from './people.ts'

/** A year of many people is more events than can be made in a run; at most as many as the largest site of the others. */
export const sizeOf = (people: number): Size => ({ people, events: Math.min(people * 10, 5_000_000) })

/** Who really signs in, spread over all of them: each once in 30 seconds, because a code works once. */
export const ACTIVE = 900

/** The username of one of those. */
export const activeName = (index: number, people: number): string =>
  `user${Math.floor(((index % ACTIVE) * people) / ACTIVE)}`

const activeNames = (people: number) =>
  Array.from({ length: ACTIVE }, (_, index) => activeName(index, people))

const now = Math.floor(Date.now() / 1000)
const MONTH = 2_500_000

/** A prepared database. */
export interface Sized {
  readonly size: Size
  /** Settings of a server on it. */
  readonly env: Readonly<Record<string, string>>
  readonly config: Config
  /** Lets the code of everybody who signs in count once more. */
  renewCodes(): Promise<void>
}

interface Filling {
  readonly size: Size
  /** Of everybody's password. */
  readonly hash: PasswordHash
  /** Told what took how long. */
  readonly progress?: (what: string) => void
}

/** Fills an empty database of PostgreSQL, in the database; the folder gets the key file. */
export async function fillPostgres(
  folder: string,
  url: string,
  { size, hash, progress = () => {} }: Filling,
): Promise<Sized> {
  const env = { ...settingsOf(folder), WATCHWORD_DATABASE: url }
  const config = loadConfig({ cwd: folder, env })
  const { services, close } = await compose(config)
  const { db } = services
  await makeMonths(db, now)
  const times = Array.from({ length: Math.ceil(YEAR / MONTH) + 1 }, (_, index) => now - index * MONTH)
  await db.transaction().execute((tx) => makeMonthsOf(tx, times))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // Nothing refers to what is not there, and nothing has to survive but the finished rows.
  await client.query('SET session_replication_role = replica; SET synchronous_commit = off')
  for (const statement of rowsOf('postgres', size, { hash, now })) {
    await timed(statement, () => client.query(statement), progress)
  }
  await makeActive(services, size.people)
  await timed('VACUUM ANALYZE', () => client.query('VACUUM ANALYZE'), progress)
  await timed('CHECKPOINT', () => client.query('CHECKPOINT'), progress)
  await client.end()
  await close()
  return {
    ...{ size, env, config },
    async renewCodes() {
      const own = new pg.Client({ connectionString: url })
      await own.connect()
      await own.query(
        `UPDATE otp_device SET last_used_step = -1
         WHERE user_id IN (SELECT id FROM "user" WHERE canonical_username = ANY($1))`,
        [activeNames(size.people)],
      )
      await own.end()
    },
  }
}

/** Fills the database of a new folder with SQLite. */
export async function fillSqlite(
  folder: string,
  { size, hash, progress = () => {} }: Filling,
): Promise<Sized> {
  const env = settingsOf(folder)
  const config = loadConfig({ cwd: folder, env })
  const { services, close } = await compose(config)
  const file = join(folder, 'watchword.sqlite3')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000')
  for (const statement of rowsOf('sqlite', size, { hash, now })) {
    await timed(statement, async () => database.exec(statement), progress)
  }
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  await makeActive(services, size.people)
  await close()
  return {
    ...{ size, env, config },
    async renewCodes() {
      const own = new DatabaseSync(file, { timeout: 5000 })
      const names = activeNames(size.people).map((name) => `'${name}'`)
      own.exec(`UPDATE otp_device SET last_used_step = -1
        WHERE user_id IN (SELECT id FROM user WHERE canonical_username IN (${names.join()}))`)
      own.close()
    },
  }
}

async function timed(what: string, work: () => Promise<unknown>, progress: (what: string) => void) {
  const began = performance.now()
  await work()
  progress(`${what.slice(0, 32).replaceAll('\n', ' ')} ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

/** Gives some of them a device that is theirs, and a session whose token is known. */
async function makeActive({ db, sealer, newId }: Services, people: number): Promise<void> {
  for (let index = 0; index < Math.max(ACTIVE, SESSIONS); index++) {
    const user = await users.findByUsername(db, activeName(index, people))
    if (user === undefined) throw new Error('Those who sign in are not among them.')
    if (index < ACTIVE) {
      const deviceId = newId()
      const { id: userId } = user
      await otpDevices.removeAll(db, userId)
      await users.setDisabled(db, userId, null)
      const key = { deviceId, sealedKey: sealer.seal(OTP_KEY, { purpose: 'otp-key', userId, deviceId }) }
      const rest = { name: 'Phone', drift: 0, lastUsedStep: -1, counter: 0, createdAt: now } as const
      const totp = { kind: 'totp', algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const
      const device = { id: key.deviceId, userId, sealedKey: key.sealedKey, ...totp, ...rest }
      await otpDevices.insertConfirmed(db, device, now)
    }
    await sessions.insert(db, {
      ...{ id: newId(), userId: user.id, amr: ['pwd', 'otp'], authTime: now, createdAt: now },
      ...{ lastSeenAt: now, expiresAt: now + 43_200, address: '203.0.113.7', userAgent: 'bench' },
      tokenHash: hashToken(sessionTokenOf(index) as Token),
    })
  }
}
