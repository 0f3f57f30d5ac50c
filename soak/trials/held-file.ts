import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import { knocking, untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, type Findings, gather, settle } from '../support/town/settle.ts'
import type { Town } from '../support/town/town.ts'
import { lastLook, townsOnSqlite } from '../support/town/turn.ts'
import { visit } from '../support/town/visit.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** A writer waits five seconds for its turn and five for another program; so many milliseconds are more than that. */
const LONGEST_WAIT_MS = 12_000
/** The log is copied into the file each 16 MiB; what comes beside that is little. */
const LOG_BEYOND = 2 * 2 ** 20

/** `FT-DB-2`: another program holds the lock of the file, or reads for so long that the log cannot be copied. */
export const heldFile: Trial = {
  id: 'FT-DB-2',
  name: 'held-file',
  holds:
    'While another program holds the file every wait is bounded and sessions are answered; the log is used anew once its readers are gone (I1, I7, I8).',
  rounds: 'holds',
  sizes: { ci: 4, soak: 100, release: 100 },
  // Whose wait has no bound is never answered with a fault.
  needs: [
    ...['locks held', 'long readers', 'sessions answered meanwhile', 'acknowledged', 'logs used anew'],
    ...['answered with a fault', 'knocks in vain'],
  ],
  patience: 120,
  begin: async (stage) => holds(stage),
}

function holds({ folder, size }: Stage): Running {
  const towns = townsOnSqlite(folder)
  return {
    async round(number, random) {
      const town = await towns.awake(number, random)
      const file = join(town.folder, 'data', 'watchword.sqlite3')
      // Shorter than the patience of the server, and longer; now and then longer than anybody may wait.
      const ms =
        number % 4 === 0 ? 200 + random.below(2000) : size === 'ci' ? 5600 : 5200 + random.below(10_000)
      const found = await (number % 2 === 0
        ? holdLock(town, { file, ms, random })
        : readLong(town, { file, random }))
      found.violations.push(...(await town.records.faults()))
      return found
    },
    end: () => lastLook(towns.last()),
  }
}

async function holdLock(
  town: Town,
  { file, ms, random }: { file: string; ms: number; random: Random },
): Promise<Findings> {
  const first = mixedLoad(town, { random, lanes: 4 })
  await first.answered(10)
  const found = await first.stop()
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.exec('BEGIN IMMEDIATE')
  const began = performance.now()
  const load = mixedLoad(town, { random, lanes: 6, goesOn: true })
  const knocks = knocking(town, random)
  const looks = (async () => {
    while (performance.now() - began < ms - 100) {
      await look(town, random, found)
      await delay(50)
    }
  })()
  await delay(ms)
  database.exec('ROLLBACK')
  database.close()
  await looks
  gather(found, await knocks.stop())
  gather(found, await untilBack(town, random))
  gather(found, await load.stop())
  const slowest = Math.round(load.slowest())
  if (slowest > LONGEST_WAIT_MS) found.violations.push(`Somebody waited ${slowest} ms.`)
  gather(found, await settle(town, [...first.touched, ...load.touched], random))
  count(found.counts, 'locks held')
  return found
}

/** Sessions are looked up beside a writer, whoever it is. */
async function look(town: Town, random: Random, found: Findings): Promise<void> {
  const person = random
    .shuffled(town.people)
    .find((each) => each.world.sessions.length > 0 && each.perhaps === undefined)
  const session = person?.world.sessions.at(-1)?.token
  if (person === undefined || session === undefined || person.isBusy) return
  const began = performance.now()
  const { address, username } = person
  const reply = await visit(town.node(random), { method: 'GET', path: '/auth/session/', session, address })
  const took = performance.now() - began
  if (reply.kind === 'answered' && reply.status === 200) count(found.counts, 'sessions answered meanwhile')
  // It may have ended at this very moment, by what the load did.
  else count(found.counts, 'sessions that ended meanwhile')
  if (took > LONGEST_WAIT_MS)
    found.violations.push(`${username}: a look at a session took ${Math.round(took)} ms.`)
}

async function readLong(town: Town, { file, random }: { file: string; random: Random }): Promise<Findings> {
  const log = `${file}-wal`
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM "user"').get()
  const writer = new DatabaseSync(file, { timeout: 5000 })
  writer.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF')
  const grow = () => {
    const touch = writer.prepare('UPDATE user_group SET created_at = created_at + 1')
    for (let each = 0; each < 5000; each++) touch.run()
  }
  grow()
  const load = mixedLoad(town, { random, lanes: 4 })
  await load.answered(20)
  const found = await load.stop()
  const starved = statSync(log).size
  reader.exec('COMMIT')
  reader.close()
  // The next commits of the server copy the log and begin it anew.
  const after = mixedLoad(town, { random, lanes: 4 })
  await after.answered(20)
  gather(found, await after.stop())
  grow()
  const again = mixedLoad(town, { random, lanes: 4 })
  await again.answered(20)
  gather(found, await again.stop())
  writer.close()
  const size = statSync(log).size
  if (size > starved + LOG_BEYOND) {
    found.violations.push(
      `The log grew from ${starved} to ${size} bytes although nobody read from it any more.`,
    )
  } else count(found.counts, 'logs used anew')
  count(found.counts, 'long readers')
  gather(found, await settle(town, [...load.touched, ...after.touched, ...again.touched], random))
  return found
}
