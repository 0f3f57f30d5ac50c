import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../../test/support/postgres.ts'
import {
  afterBytes,
  atMessage,
  atStatement,
  type Fault,
  nth,
  startTcpProxy,
  type TcpProxy,
} from '../../test/support/tcp-proxy.ts'
import type { Random } from '../support/random.ts'
import { knocking, untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, type Findings, gather, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { lastLook, townInTurn } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-DB-1`: PostgreSQL, or the way to it, fails in each way it can. */
export const databaseFaults: Trial = {
  id: 'FT-DB-1',
  name: 'database-faults',
  holds:
    'Restarted, locked, full, read-only, slow or cut off at any word of its protocol, the database lets nobody in twice or unproven, and service returns by itself (I1-I5, I7).',
  rounds: 'faults',
  // As many as bring 2,000 cuts and 500 restarts.
  sizes: { ci: 25, soak: 3000, release: 3000 },
  needs: [
    ...['restarts', 'cuts', 'connections ended', 'tables locked', 'connections refused', 'times read-only'],
    ...['slow times', 'silences', 'acknowledged', 'answered with a fault', 'returns', 'knocks in vain'],
  ],
  patience: 120,
  begin: faults,
}

interface Scene {
  readonly town: Town
  readonly postgres: Postgres
  readonly proxy: TcpProxy
  readonly database: string
  /** Longest that a lock is held, in milliseconds. */
  readonly longestLock: number
  readonly random: Random
}

async function faults({ folder, size }: Stage): Promise<Running> {
  const postgres = await startPostgres()
  const proxy = await startTcpProxy({
    to: { path: join(postgres.folder, '.s.PGSQL.5432') },
    protocol: 'postgres',
  })
  let database = ''
  const towns = townInTurn(async (number, random) => {
    database = `town${number}`
    const recordsUrl = await postgres.createDatabase(database)
    const databaseUrl = `postgres://postgres@127.0.0.1:${proxy.port}/${database}`
    const plan = { folder: join(folder, database), databaseUrl, recordsUrl }
    return foundTown({ ...plan, people: 120, newcomers: 30, random })
  })
  return {
    async round(number, random) {
      const town = await towns.awake(number, random)
      const longestLock = size === 'ci' ? 7000 : 60_000
      const scene = { town, postgres, proxy, database, longestLock, random }
      const found = await underLoad(scene, ways[number % 50] ?? (number % 5 === 0 ? restart : cut))
      if (number % 25 === 24) found.violations.push(...(await town.records.faults()))
      return found
    },
    async end() {
      const found = await lastLook(towns.last())
      await proxy.stop()
      await postgres.stop()
      return found
    },
  }
}

/** Causes a fault and takes it back; gives what it is counted as. */
type Way = (scene: Scene) => Promise<string>

async function underLoad(scene: Scene, way: Way): Promise<Findings> {
  const { town, random } = scene
  const load = mixedLoad(town, { random, lanes: 1 + random.below(6), goesOn: true })
  await load.answered(random.below(20))
  const knocks = knocking(town, random)
  const kind = await way(scene)
  const back = await untilBack(town, random)
  const found = await load.stop()
  gather(found, back)
  gather(found, await knocks.stop())
  count(found.counts, kind)
  gather(found, await settle(town, load.touched, random))
  const after = mixedLoad(town, { random, lanes: 3 })
  await after.answered(4)
  const done = await after.stop()
  if ((done.counts.acknowledged ?? 0) === 0) found.violations.push(`Nothing was done after ${kind}.`)
  gather(found, done)
  gather(found, await settle(town, after.touched, random))
  if (town.nodes.some((node) => !node.isAlive())) found.violations.push(`The server ended by ${kind}.`)
  return found
}

const restart: Way = async ({ postgres, random }) => {
  await postgres.kill()
  await delay(random.below(300))
  await postgres.start()
  return 'restarts'
}

/** The connection breaks at a word of the protocol: before a commit, after it, in the middle of an answer, or anywhere. */
const cut: Way = async ({ proxy, random }) => {
  const by: Fault['by'] = random.pick(['lose', 'lose-answer', 'cut'])
  const commit = nth(1 + random.below(4), atStatement(/^commit/i))
  const at = random.pick([
    commit,
    commit,
    nth(1 + random.below(4), atStatement(/^begin|^start transaction/i)),
    nth(1 + random.below(30), atStatement(/./)),
    atMessage(random.pick(['client', 'server']), 1 + random.below(300)),
    afterBytes(random.pick(['client', 'server']), 1 + random.below(60_000)),
  ])
  const happened = proxy.fail({ at, by }).then(() => 'cuts')
  const kind = await Promise.race([happened, delay(4000, 'cuts that met nothing')])
  proxy.mend()
  return kind
}

/** In each 50 rounds once; the others are restarts and cuts. */
const ways: Readonly<Record<number, Way>> = {
  async 1({ town, database }) {
    await endConnections(town, database)
    return 'connections ended'
  },
  async 6({ town, longestLock, random }) {
    const table = random.pick(['session', 'attempts', '"user"', 'otp_device', 'audit_event'])
    const seconds = (random.below(4) === 0 ? longestLock : 200 + random.below(1500)) / 1000
    await town.records.query(
      `BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${seconds}); ROLLBACK`,
    )
    return 'tables locked'
  },
  async 11({ town, database, postgres, random }) {
    // As when there is no connection left: whoever wants one is sent away.
    await elsewhere(postgres, `ALTER DATABASE ${database} ALLOW_CONNECTIONS false`)
    await endConnections(town, database)
    await delay(200 + random.below(1500))
    await elsewhere(postgres, `ALTER DATABASE ${database} ALLOW_CONNECTIONS true`)
    return 'connections refused'
  },
  async 16({ town, database, postgres, random }) {
    await elsewhere(postgres, `ALTER DATABASE ${database} SET default_transaction_read_only = on`)
    await endConnections(town, database)
    await delay(200 + random.below(1500))
    await elsewhere(postgres, `ALTER DATABASE ${database} RESET default_transaction_read_only`)
    await endConnections(town, database)
    return 'times read-only'
  },
  async 21({ proxy, random }) {
    proxy.slow(20 + random.below(200))
    await delay(1500)
    proxy.slow(0)
    return 'slow times'
  },
  async 23({ proxy, random }) {
    proxy.silence(...random.pick([['client'], ['server'], ['client', 'server']] as const))
    await delay(300 + random.below(3000))
    proxy.speak()
    return 'silences'
  },
}

async function endConnections(town: Town, database: string): Promise<void> {
  await town.records.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = '${database}' AND pid <> pg_backend_pid() AND application_name LIKE 'watchword%'`,
  )
}

/** A statement by another database of the same server. */
async function elsewhere(postgres: Postgres, sql: string): Promise<void> {
  const client = new Client({ connectionString: postgres.url('postgres') })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
