import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { holdingOf } from '../support/bounded.ts'
import { startUnder } from '../support/limited-node.ts'
import type { Random } from '../support/random.ts'
import { untilBack } from '../support/town/fault.ts'
import { mixedLoad } from '../support/town/load.ts'
import type { Node } from '../support/town/node.ts'
import { count, type Findings, gather, noFindings, settle } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { visit } from '../support/town/visit.ts'
import type { Trial } from '../support/trial.ts'

const DEEDS = 60
/** Most that a server may hold whose heap has 128 MiB, its hashes and its program beside. */
const RESIDENT_MIB = 450

/** Too few descriptors, too little memory, one core, no port. */
export const scarceResources: Trial = {
  id: 'FT-RES-1',
  name: 'scarce-resources',
  holds:
    'With 128 descriptors, a heap of 128 MiB, one core or a port that is taken the server lets nobody in wrongly, and works again when there is enough (I3, I7, I8).',
  rounds: 'shortages',
  sizes: { ci: 4, soak: 80, release: 80 },
  needs: ['of descriptors', 'of memory', 'of cores', 'of ports', 'acknowledged', 'not served meanwhile'],
  patience: 180,
  async begin({ folder }) {
    return {
      async round(number, random) {
        const town = await foundTown({
          ...{ folder: join(folder, `town${number}`), people: 40, newcomers: 10, random },
        })
        try {
          return await (shortages[number % shortages.length] ?? ofDescriptors)(town, random)
        } finally {
          await town.close()
        }
      },
      end: async () => undefined,
    }
  },
}

type Shortage = (town: Town, random: Random) => Promise<Findings>

const shortages: readonly Shortage[] = [ofDescriptors, ofMemory, ofCores, ofPorts]

async function ofDescriptors(town: Town, random: Random): Promise<Findings> {
  return withNode(town, ['prlimit', '--nofile=128:128'], {}, async (here, node) => {
    const held: Socket[] = []
    for (let index = 0; index < 400; index++) held.push(connect(node.port, '127.0.0.1').on('error', () => {}))
    await new Promise((resolve) => setTimeout(resolve, 500))
    const found = noFindings()
    node.agent.destroy()
    for (let index = 0; index < 10; index++) {
      // Whoever comes now waits, or is sent away; a session that nobody made opens nothing.
      const reply = await Promise.race([
        visit(node, {
          method: 'GET',
          path: '/auth/session/',
          session: 'A'.repeat(43),
          address: '198.51.100.1',
        }),
        new Promise<undefined>((resolve) => setTimeout(resolve, 300, undefined)),
      ])
      if (reply?.kind === 'answered' && reply.status === 200) found.violations.push('nobody was let in')
      if (reply?.kind !== 'answered' || reply.status >= 500) count(found.counts, 'not served meanwhile')
    }
    for (const socket of held) socket.destroy()
    gather(found, await untilBack(here, random))
    gather(found, await load(here, random, 4))
    count(found.counts, 'of descriptors')
    return found
  })
}

async function ofMemory(town: Town, random: Random): Promise<Findings> {
  return withNode(town, [], { NODE_OPTIONS: '--max-old-space-size=128' }, async (here, node) => {
    const body = JSON.stringify({
      username: 'x'.repeat(250),
      password: 'y'.repeat(1000),
      more: 'z'.repeat(14_000),
    })
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connect(node.port, '127.0.0.1').on('error', () => {})
      const head = `POST /auth/login/ HTTP/1.1\r\nhost: auth.example.com\r\ncontent-type: application/json\r\n`
      const whole = `${head}content-length: ${body.length}\r\n\r\n${body}`
      // Half of them never end what they began.
      socket.write(random.below(2) === 0 ? whole.repeat(20) : whole.slice(0, whole.length - 10))
      return socket
    })
    const found = await load(here, random, 8)
    for (const socket of sockets) socket.destroy()
    gather(found, await untilBack(here, random))
    const { residentMib } = holdingOf(node.pid)
    if (residentMib > RESIDENT_MIB) found.violations.push(`${Math.round(residentMib)} MiB are resident`)
    count(found.counts, 'of memory')
    return found
  })
}

async function ofCores(town: Town, random: Random): Promise<Findings> {
  return withNode(town, ['taskset', '-c', '0'], {}, async (here) => {
    const found = await load(here, random, 12)
    count(found.counts, 'of cores')
    return found
  })
}

async function ofPorts(town: Town, random: Random): Promise<Findings> {
  const other = createServer((socket) => socket.destroy())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const { port } = other.address() as AddressInfo
  const listen = { WATCHWORD_LISTEN: `127.0.0.1:${port}` }
  const begun = await startUnder(town, [], listen)
  await new Promise((resolve) => other.close(resolve))
  const found = noFindings()
  count(found.counts, 'of ports')
  if (begun.kind === 'ready') {
    await begun.node.kill()
    found.violations.push('it listens where another does')
    return found
  }
  if (begun.code !== 1 || !begun.said.includes(String(port)) || /\n\s+at /.test(begun.said))
    found.violations.push(`a port that is taken ends it with ${begun.code}: ${begun.said.slice(0, 300)}`)
  gather(found, await withNode(town, [], listen, (here) => load(here, random, 4)))
  return found
}

async function withNode(
  town: Town,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  use: (town: Town, node: Node) => Promise<Findings>,
): Promise<Findings> {
  const begun = await startUnder(town, command, env)
  if (begun.kind === 'ended') throw new Error(`It did not start: ${begun.said.slice(0, 1000)}`)
  const { node } = begun
  // The only server of the town, which ends it when it closes.
  town.nodes.push(node)
  const found = await use(town, node)
  if (!node.isAlive()) found.violations.push('the server is gone')
  await town.kill(node)
  return found
}

async function load(town: Town, random: Random, lanes: number): Promise<Findings> {
  await town.wakeAdmin()
  const people = mixedLoad(town, { random, lanes })
  await people.answered(DEEDS)
  const found = await people.stop()
  gather(found, await settle(town, people.touched, random))
  gather(found, { counts: {}, violations: await town.records.faults() })
  return found
}
