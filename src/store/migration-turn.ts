import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { StorageFault } from '../domain/faults.ts'
import type { Db } from './database.ts'
import { isSqlite } from './engine.ts'
import { isLockConflict } from './sql-state.ts'

/** Any number that nothing else uses; Kysely's own lock is another. */
const LOCK_ID = 8_023_117_456

/** How long whoever writes may be held up by a change that waits for a table, as PostgreSQL reads it. */
const LOCK_TIMEOUT = '1s'

/** For the turn of another program, which may look at many rows, and for a table that somebody holds. */
const PATIENCE_MS = 3_600_000

/** Until it is tried again, at first; those who were held up go on meanwhile. */
const PAUSE_MS = 500

/** A backup may read for an hour, and nobody shall be held up for a second in each two of it. */
const LONGEST_PAUSE_MS = 30_000

/**
 * Runs the work on one connection, one program at a time, while others read and write.
 *
 * On PostgreSQL a change of a table first waits until nobody uses it, and everybody else waits behind it. So it gives up
 * after a second, or when it and they wait for each other, lets them through and tries again. Its statements may take
 * as long as they need. SQLite has one writer anyway.
 */
export async function inMigrationTurn(db: Db, work: (own: Db) => Promise<void>): Promise<void> {
  if (isSqlite(db)) return work(db)
  const until = performance.now() + PATIENCE_MS
  await db.connection().execute(async (own) => {
    await sql`set statement_timeout = 0`.execute(own)
    try {
      await taken(own, until)
      await tried(() => work(own), until)
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(LOCK_ID)})`.execute(own)
      // To what the connection was made with.
      await sql`reset lock_timeout`.execute(own)
      await sql`reset statement_timeout`.execute(own)
    }
  })
}

/** Has what is done on this connection from here on give up a lock that it does not get within a second (PostgreSQL). */
export async function waitForLocksShortly(own: Db): Promise<void> {
  if (isSqlite(own)) return
  await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, false)`.execute(own)
}

/**
 * Asks again and again instead of waiting in the database: an index that is built beside traffic waits for
 * whoever waits there.
 */
async function taken(own: Db, until: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{
      free: boolean
    }>`select pg_try_advisory_lock(${sql.lit(LOCK_ID)}) as free`.execute(own)
    if (rows[0]?.free === true) return
    if (performance.now() > until) throw new StorageFault('Another program has migrated for an hour.')
    await delay(PAUSE_MS)
  }
}

async function tried(work: () => Promise<void>, until: number): Promise<void> {
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!isLockConflict(error) || performance.now() > until) throw error
    }
    await delay(pause)
  }
}
