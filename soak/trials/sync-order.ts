import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../support/random.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, type Findings, gather, settle } from '../support/town/settle.ts'
import type { Town } from '../support/town/town.ts'
import { lastLook, townsOnSqlite } from '../support/town/turn.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-POWER-1`, as far as the order of calls shows it: what is answered would outlive a loss of power. */
export const syncOrder: Trial = {
  id: 'FT-POWER-1',
  name: 'sync-order',
  holds: 'No answer leaves while the log of SQLite holds something that was not synced to the disk (I1).',
  rounds: 'traced loads',
  sizes: { ci: 3, soak: 50, release: 50 },
  needs: ['answers', 'answers after a sync', 'syncs', 'acknowledged'],
  patience: 120,
  begin: async (stage) => loads(stage),
}

function loads({ folder }: Stage): Running {
  const towns = townsOnSqlite(folder)
  return {
    async round(number, random) {
      const town = await towns.awake(number, random)
      return traced(town, join(folder, 'trace'), random)
    },
    end: () => lastLook(towns.last()),
  }
}

async function traced(town: Town, file: string, random: Random): Promise<Findings> {
  const [node] = town.nodes
  if (node === undefined) throw new Error('There is a server.')
  const calls = 'trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync'
  const words = ['--pdeathsig', 'INT', 'strace', '-f', '-y', '-s', '24', '-o', file, '-e', calls]
  const child = spawn('setpriv', [...words, '-p', String(node.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('attached')) resolve()
    })
  })
  // One at a time: another's write between the sync and the answer would say nothing.
  const load = mixedLoad(town, { random, lanes: 1 })
  await load.answered(20)
  const found = await load.stop()
  child.kill('SIGINT')
  await ended
  inOrder(readFileSync(file, 'utf8'), found)
  gather(found, await settle(town, load.touched, random))
  return found
}

/** Reads the calls in the order they were made. */
function inOrder(trace: string, found: Findings): void {
  let unsynced = 0
  let isSynced = false
  for (const line of trace.split('\n')) {
    const [, call = '', on = ''] = /^\d+ +(\w+)\(\d+<([^>]*)>/.exec(line) ?? []
    if (call === 'pwrite64' && on.endsWith('-wal')) unsynced += 1
    else if ((call === 'fsync' || call === 'fdatasync') && on.endsWith('-wal')) {
      unsynced = 0
      isSynced = true
      count(found.counts, 'syncs')
    } else if (line.includes('"HTTP/1.1 ')) {
      count(found.counts, 'answers')
      if (isSynced) count(found.counts, 'answers after a sync')
      isSynced = false
      if (unsynced > 0)
        found.violations.push(`An answer left before ${unsynced} writes to the log were synced.`)
    }
  }
}
