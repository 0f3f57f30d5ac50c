import { compose } from '../../src/compose.ts'
import { listAuditEvents } from '../../src/store/views/list-audit.ts'
import { listUsers } from '../../src/store/views/list-users.ts'
import { configOf } from '../support/data.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { ADMINS, MANY } from '../support/many.ts'
import { median } from '../support/numbers.ts'
import { People } from '../support/people.ts'
import { startWatchword } from '../support/servers.ts'
import { Visitor } from '../support/visitor.ts'

/** What an administrator looks for, among as many as a large site has. */
export const lists: Measurement = { names: ['users-list', 'audit-search'], run }

const month = () => ({
  from: new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10),
  to: new Date(Date.now() - 60 * 86_400_000).toISOString().slice(0, 10),
})

const userSearches: readonly Readonly<Record<string, string>>[] = [
  {},
  { after: 'user5000' },
  { search: 'user7777' },
  { search: 'number 99' },
  { search: 'nobody has this' },
  { filter: 'no-second-factor' },
  { filter: 'disabled' },
  { filter: 'throttled' },
  { filter: 'not-seen' },
  { filter: 'never-signed-in' },
  { group: 'staff' },
  { group: 'staff', search: '9', filter: 'disabled' },
]

const auditSearches: readonly Readonly<Record<string, string>>[] = [
  {},
  { user: 'user777' },
  { user: 'user777', event: 'user-unlocked' },
  { event: 'code-refused' },
  { event: 'user-unlocked' },
  { event: 'keys-rotated' },
  { address: '10.0.3.9' },
  { address: '192.0.2.1' },
  { address: '10.0.3.9', event: 'user-unlocked' },
  month(),
  { ...month(), event: 'user-unlocked' },
  { ...month(), user: 'user777' },
  { ...month(), address: '10.0.3.9' },
]

async function run(bench: Bench): Promise<Line[]> {
  const folder = bench.data.many()
  const rounds = bench.quick ? 5 : 15
  const views = await viewsAlone(folder, rounds)
  const server = await startWatchword(bench, {}, folder)
  const visitor = new Visitor(server.port)
  await visitor.signIn(new People().signInOf(ADMINS.lists))
  const pages = async (path: string, searches: typeof userSearches): Promise<Timed[]> => {
    const timed: Timed[] = []
    for (const search of searches) {
      const query = String(new URLSearchParams(search))
      timed.push({
        what: query || 'everything',
        milliseconds: await timeOf(visitor, `${path}?${query}`, rounds),
      })
    }
    return timed.toSorted((a, b) => b.milliseconds - a.milliseconds)
  }
  const users = await pages('/admin/users', userSearches)
  const events = await pages('/admin/audit', auditSearches)
  visitor.close()
  await server.stop()
  const line = (name: string, what: string, timed: readonly Timed[], view: number): Line => ({
    name,
    what,
    measured: timed[0]?.milliseconds ?? Number.NaN,
    target: 50,
    must: 'be at most',
    unit: 'ms',
    digits: 1,
    behind: [
      ...timed.slice(0, 3).map((each) => `${each.what} ${each.milliseconds.toFixed(1)} ms`),
      `median of all ${median(timed.map((each) => each.milliseconds)).toFixed(1)} ms`,
      `the view alone, everything ${view.toFixed(1)} ms`,
    ],
  })
  const [many, log] = [MANY.people.toLocaleString('en'), MANY.events.toLocaleString('en')]
  return [
    line(
      'users-list',
      `GET /admin/users among ${many}: the slowest of ${users.length} searches`,
      users,
      views.users,
    ),
    line(
      'audit-search',
      `GET /admin/audit among ${log}: the slowest of ${events.length}`,
      events,
      views.events,
    ),
  ]
}

interface Timed {
  readonly what: string
  readonly milliseconds: number
}

/** Median of one page, after two that fill the caches. */
async function timeOf(visitor: Visitor, path: string, rounds: number): Promise<number> {
  const times: number[] = []
  for (let round = -2; round < rounds; round++) {
    const { status, milliseconds } = await visitor.get(path)
    if (status !== 200) throw new Error(`${path} was answered ${status}.`)
    if (round >= 0) times.push(milliseconds)
  }
  return median(times)
}

/** The queries without a page around them, in this process. */
async function viewsAlone(folder: string, rounds: number): Promise<{ users: number; events: number }> {
  const { services, close } = await compose(configOf(folder))
  const { db } = services
  const time = async (query: () => Promise<unknown>) => {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      const began = performance.now()
      await query()
      times.push(performance.now() - began)
    }
    return median(times)
  }
  const users = await time(() => listUsers(db, { limit: 25 }))
  const events = await time(() => listAuditEvents(db, { order: 'latest-first', limit: 51 }))
  await close()
  return { users, events }
}
