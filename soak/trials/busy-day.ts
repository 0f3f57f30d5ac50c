import { join } from 'node:path'
import { request } from '../../bench/support/http.ts'
import { closedLoop } from '../../bench/support/load.ts'
import { holdingOf, until } from '../support/bounded.ts'
import { addCounts } from '../support/history.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { slopeOf } from '../support/slope.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import type { Judgement, Samples, Stage, Trial } from '../support/trial.ts'

/** Deeds of a round, and checks of sessions beside them. */
const DEEDS = 250
const CHECKS = 2500
/** A server is warm after so many minutes, and its growth is judged by so many more. */
const WARM_UP = 10
const JUDGED = 30

/** Everything that people do, as fast as it goes, for a long time. */
export const busyDay: Trial = {
  id: 'FT-SOAK-1',
  name: 'busy-day',
  holds:
    'A busy server keeps its books over hours: every deed wholly done, no code twice, ended sessions ended, memory and descriptors bounded (I1, I2, I5, I8, I10, I11).',
  rounds: `times ${DEEDS} deeds`,
  sizes: { ci: 8, soak: 4000, release: 4000 },
  needs: ['acknowledged', 'checks of sessions', 'codes sent again', 'ended sessions'],
  patience: 300,
  begin: day,
  judge,
}

async function day({ folder }: Stage) {
  const random = seededRandom('busy-day', folder)
  const town = await foundTown({ folder: join(folder, 'town'), people: 300, newcomers: 60, random })
  const node = await town.start('least')
  const began = performance.now()
  const idle = holdingOf(node.pid).descriptors
  return {
    async round(number: number, chance: Random) {
      await town.wakeAdmin()
      const load = mixedLoad(town, { random: chance, lanes: 4 })
      const checks = checkSessions(town)
      await load.answered(DEEDS)
      const found = await load.stop()
      const statuses = await checks
      for (const [status, many] of statuses) {
        count(found.counts, 'checks of sessions', many)
        // Sessions end meanwhile.
        if (status !== 200 && status !== 401) found.violations.push(`${many} checks were answered ${status}`)
      }
      const settling = await settle(town, load.touched, chance)
      addCounts(found.counts, settling.counts)
      found.violations.push(...settling.violations)
      if (number % 100 === 0) found.violations.push(...(await town.records.faults()))
      if (!node.isAlive()) throw new Error('The server is gone.')
      const { residentMib } = holdingOf(node.pid)
      const minutes = (performance.now() - began) / 60_000
      return {
        ...found,
        samples: { minutes: [round(minutes)], 'resident MiB': [round(residentMib)] },
      }
    },
    async end() {
      const found = noFindings()
      found.violations.push(...(await town.records.faults()))
      node.agent.destroy()
      // A few that belong to the database and to time-outs under way.
      const isBack = await until(() => holdingOf(node.pid).descriptors <= idle * 1.1 + 4, 10_000)
      if (!isBack)
        found.violations.push(`${holdingOf(node.pid).descriptors} descriptors are open, ${idle} were`)
      await town.close()
      return found
    },
  }
}

async function checkSessions(town: Town): Promise<ReadonlyMap<number, number>> {
  const [node] = town.nodes
  if (node === undefined) throw new Error('No server is there.')
  let next = 0
  const source = () => {
    const person = town.people[next++ % town.people.length]
    const token = person?.world.sessions.at(-1)?.token ?? 'A'.repeat(43)
    return {
      bytes: request('GET', '/auth/session/', { headers: { cookie: `__Host-watchword-session=${token}` } }),
    }
  }
  const { statuses } = await closedLoop(node.port, source, { concurrency: 2, requests: CHECKS })
  return statuses
}

function judge({ minutes = [], 'resident MiB': resident = [] }: Samples): Judgement {
  const warm = minutes
    .map((minute, index) => ({ minute, mib: resident[index] ?? 0 }))
    .filter(({ minute }) => minute > WARM_UP)
  const most = Math.max(...resident)
  const last = warm.at(-1)?.minute ?? 0
  const grown = slopeOf(
    warm.map(({ minute }) => minute / 60),
    warm.map(({ mib }) => mib),
  )
  if (grown === undefined || last < WARM_UP + JUDGED)
    return { figures: { 'MiB at most': most }, violations: [] }
  const { slope, error } = grown
  return {
    figures: { 'MiB at most': most, 'MiB an hour': round(slope), 'give or take': round(2 * error) },
    violations: slope - 2 * error > 1 ? [`Memory grows by ${round(slope)} MiB an hour.`] : [],
  }
}

const round = (value: number) => Math.round(value * 100) / 100
