import { pageRoutes } from '../../src/http/routes/list.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { ADMINS, NEWCOMER } from '../support/many.ts'
import { PASSWORD, People, usernameOf } from '../support/people.ts'
import { startWatchword } from '../support/servers.ts'
import { type Received, Visitor } from '../support/visitor.ts'

/** What pages weigh that a new visitor is shown, with their styles and whatever else they load. */
export const pageWeight: Measurement = { names: ['page-weight', 'page-requests'], run }

interface Weight {
  readonly page: string
  readonly bytes: number
  readonly requests: number
}

async function run(bench: Bench): Promise<Line[]> {
  const server = await startWatchword(bench, {}, bench.data.many())
  const weights = [...(await ofStrangers(server.port)), ...(await ofAdmin(server.port))]
  await server.stop()
  const heaviest = weights.toSorted((a, b) => b.bytes - a.bytes)
  const requests = Math.max(...weights.map((each) => each.requests))
  const kilobytes = ({ page, bytes }: Weight) => `${page} ${(bytes / 1000).toFixed(1)} KB`
  return [
    {
      name: 'page-weight',
      what: `Largest of ${weights.length} pages with all it loads, uncompressed`,
      measured: (heaviest[0]?.bytes ?? Number.NaN) / 1000,
      target: 30,
      must: 'be at most',
      unit: 'KB',
      digits: 1,
      behind: heaviest.slice(0, 5).map(kilobytes),
    },
    {
      name: 'page-requests',
      what: '… and the most requests of a page',
      measured: requests,
      target: 2,
      must: 'be at most',
      unit: '',
      digits: 0,
      behind: [
        `${weights.filter((each) => each.requests === requests).length} of ${weights.length} pages take ${requests}`,
        kilobytes(heaviest.at(-1) ?? { page: 'none', bytes: 0, requests: 0 }),
      ],
    },
  ]
}

/** The steps of signing in, each shown to a browser that was never here. */
async function ofStrangers(port: number): Promise<Weight[]> {
  const known = new Visitor(port)
  const start = await known.get('/login')
  const weights = [await weigh(known, '/login', start)]
  await known.submit(start, '/login', { username: usernameOf(2), password: PASSWORD })
  weights.push(await weigh(known, '/login, code', await known.get('/login')))
  known.close()

  const fresh = new Visitor(port)
  const name = { username: usernameOf(NEWCOMER), password: PASSWORD }
  await fresh.submit(await fresh.get('/login'), '/login', name)
  await fresh.submit(await fresh.get('/login'), '/login')
  weights.push(await weigh(fresh, '/login, enrolment', await fresh.get('/login')))
  fresh.close()
  return weights
}

/** Every page there is for somebody signed in, with the fullest lists; the documentation of the API is a package's. */
async function ofAdmin(port: number): Promise<Weight[]> {
  const visitor = new Visitor(port)
  await visitor.signIn(new People().signInOf(ADMINS.weight))
  const other = await somebodyElse(visitor)
  const begun = await visitor.submit(await visitor.get('/account/devices'), '/account/devices/add')
  if (begun.status !== 303) throw new Error(`No device could be set up: ${begun.status}.`)
  const weights: Weight[] = []
  for (const { method, path } of pageRoutes) {
    if (method !== 'GET' || /^\/admin\/audit\.|^\/docs\//.test(path)) continue
    const answer = await visitor.get(path.replace(':id', path.includes('/groups/') ? 'staff' : other))
    if (answer.status === 200) weights.push(await weigh(visitor, path, answer))
  }
  const codes = await visitor.submit(await visitor.get('/account/recovery-codes'), '/account/recovery-codes')
  weights.push(await weigh(visitor, '/account/recovery-codes, new', codes))
  visitor.close()
  return weights
}

/** An identifier that the list of users links to. */
async function somebodyElse(visitor: Visitor): Promise<string> {
  const { text } = await visitor.get('/admin/users?search=user1234')
  const [, id] = /href="\/admin\/users\/([0-9a-v]{26})"/.exec(text) ?? []
  if (id === undefined) throw new Error('The list of users shows nobody.')
  return id
}

/** The page and each file that it makes a browser load. */
async function weigh(visitor: Visitor, page: string, { status, text, bytes }: Received): Promise<Weight> {
  if (status !== 200) throw new Error(`${page} was answered ${status}.`)
  const files = [...text.matchAll(/<(?:script|img|link)[^>]+?(?:src|href)="(\/[^"]*)"/g)]
  let all = bytes
  for (const [, file = ''] of files) all += (await visitor.get(file)).bytes
  return { page, bytes: all, requests: 1 + files.length }
}
