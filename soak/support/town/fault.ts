import { setTimeout as delay } from 'node:timers/promises'
import { untilInTime } from '../bounded.ts'
import { type Random, seededRandom } from '../random.ts'
import { count, type Findings, noFindings } from './settle.ts'
import type { Town } from './town.ts'
import { visit } from './visit.ts'

/** Service returns within so many milliseconds once its fault is over (I7). */
const RETURN_MS = 5000

/** While nothing can be looked up nobody is let in: sessions that are good are answered with a fault (I3). */
export async function probeClosed(town: Town, random: Random): Promise<Findings> {
  const found = noFindings()
  const people = town.people.filter(({ world }) => world.sessions.length > 0).slice(0, 3)
  await Promise.all(
    people.map(async ({ username, address, world }) => {
      const session = world.sessions.at(-1)?.token
      if (session === undefined) return
      const reply = await visit(town.node(random), {
        method: 'GET',
        path: '/auth/session/',
        session,
        address,
      })
      if (reply.kind === 'answered' && reply.status === 200) {
        found.violations.push(`${username}: a session was believed while nobody could look it up.`)
      } else if (reply.kind === 'answered' && reply.status === 503)
        count(found.counts, 'refused while it was down')
      else count(found.counts, 'not answered while it was down')
    }),
  )
  return found
}

/** Asks with sessions that ended, or that nobody has, until it is stopped: none may open while anything fails (I3, I5). */
export function knocking(town: Town, random: Random): { readonly stop: () => Promise<Findings> } {
  const found = noFindings()
  // How often it draws depends on the machine; nobody else's chance must.
  const own = seededRandom(random.bytes(8).toString('hex'))
  let isStopped = false
  const all = (async () => {
    while (!isStopped) {
      const { address, ended } = own.pick(town.people)
      const session = ended.at(-1) ?? own.bytes(32).toString('base64url')
      const reply = await visit(town.node(own), {
        ...{ method: 'GET', path: '/auth/session/', session, address },
      })
      if (reply.kind === 'answered' && reply.status === 200)
        found.violations.push('A session that ended, or that nobody has, opened.')
      else count(found.counts, 'knocks in vain')
      await delay(20)
    }
  })()
  return {
    async stop() {
      isStopped = true
      await all
      return found
    },
  }
}

/** Waits until every server says that it is ready; later than five seconds of quiet cores after the end of a fault is a violation. */
export async function untilBack(town: Town, random: Random): Promise<Findings> {
  const found = noFindings()
  const isReady = async () => {
    const { address } = random.pick(town.people)
    const replies = await Promise.all(
      town.nodes.map((node) => visit(node, { method: 'GET', path: '/readyz', address })),
    )
    return replies.every((reply) => reply.kind === 'answered' && reply.status === 200)
  }
  if (await untilInTime(isReady, RETURN_MS)) count(found.counts, 'returns')
  else found.violations.push('Service did not return within five seconds.')
  return found
}
