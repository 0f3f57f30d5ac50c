import { after, before } from 'node:test'
import { Client } from 'pg'
import type { Services } from '../../src/services.ts'
import { postgresDialect } from '../../src/store/postgres.ts'
import { sqliteDialect } from '../../src/store/sqlite.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { startWorld, type World, type WorldOptions } from '../world.ts'
import { type IsWaiting, type Stops, steppableDatabase } from './steps.ts'

/** The application's own services on one engine, with a database that can be stopped between any two calls. */
export interface Stage {
  readonly world: World
  readonly services: Services
  readonly isWaiting: IsWaiting
  readonly stops: Stops
}

/** An engine to run the application on; each opening is a database of its own. */
export interface Engine {
  readonly name: string
  open(options: WorldOptions): Promise<{ stage: Stage; close(): Promise<void> }>
}

export const sqlite: Engine = { name: 'SQLite', open: openSqlite }
export const postgres: Engine = { name: 'PostgreSQL', open: openPostgres }

/** A stage from the first test of a suite to its last. */
export function stageFor({ open }: Engine, options: Pick<WorldOptions, 'config'> = {}): () => Stage {
  let opened: Awaited<ReturnType<Engine['open']>> | undefined
  before(async () => {
    opened = await open(options)
  })
  after(() => opened?.close())
  return () => {
    if (opened === undefined) throw new Error('no stage yet')
    return opened.stage
  }
}

async function openSqlite(options: WorldOptions) {
  const world = await startWorld(options)
  const { database } = world.config
  if (database.kind !== 'sqlite') throw new Error('a world is on SQLite by default')
  const db = steppableDatabase(sqliteDialect(database.path))
  // A call of SQLite is over within a round of the event loop unless it waits for its turn.
  const isWaiting: IsWaiting = ({ rounds }) => rounds > 10
  const close = async () => {
    await db.destroy()
    await world.close()
  }
  const stage: Stage = {
    world,
    services: { ...world.services, db },
    isWaiting,
    stops: 'between-transactions',
  }
  return { stage, close }
}

let cluster: Promise<Postgres> | undefined
let databases = 0

async function openPostgres(options: WorldOptions) {
  cluster ??= startPostgres()
  const { createDatabase, url } = await cluster
  const name = `stage_${++databases}`
  const databaseUrl = await createDatabase(name)
  const monitor = new Client({ connectionString: url('postgres') })
  await monitor.connect()
  // What was committed is not lost here, so nobody need wait for the disk; a deadlock is told at once.
  await monitor.query('alter system set fsync = off')
  await monitor.query('select pg_reload_conf()')
  await monitor.query(`alter database ${name} set deadlock_timeout = '50ms'`)
  const world = await startWorld({ ...options, databaseUrl })
  const db = steppableDatabase(postgresDialect({ url: databaseUrl }))
  const isWaiting = async () => {
    const { rows } = await monitor.query(
      `select 1 from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
      [name],
    )
    return rows.length > 0
  }
  const close = async () => {
    await db.destroy()
    await world.close()
    await monitor.end()
  }
  const stage: Stage = { world, services: { ...world.services, db }, isWaiting, stops: 'every-call' }
  return { stage, close }
}

/** Ends the cluster; for the last `after` of a file. */
export async function closeEngines(): Promise<void> {
  await (await cluster)?.stop()
}
