import { headerOf, type RawAnswer, withRawClients } from '../../test/support/raw-client.ts'
import { pathSpellings } from '../support/path-spellings.ts'
import { seededRandom } from '../support/random.ts'
import {
  OPEN,
  OWN,
  otherReaders,
  places,
  SECRET,
  SHOP,
  type SpelledPlaces,
  STAFF,
  startSpelledPlaces,
  WIKI,
} from '../support/spelled-places.ts'
import { count, noFindings } from '../support/town/settle.ts'
import type { Judgement, Round, Samples, Trial } from '../support/trial.ts'

/** Spellings of a round, each of which comes with every method of its series. */
const BATCH = 25
const SPELLINGS = 300
const BATCHES = SPELLINGS / BATCH

const methods = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND'],
  ...['PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH', 'get', 'NONSENSE'],
]

const ownPaths = ['/admin/users', '/api/v1/users/', '/auth/session/', '/account/sessions', '/metrics']

/** What is asked for in all its spellings, by whom and how. */
interface Series {
  readonly name: string
  readonly host: string
  readonly path: string
  readonly methods: readonly string[]
  readonly hasLeases?: boolean
  readonly cookie?: 'member' | 'portal'
  /** Past Apache. */
  readonly isDirect?: boolean
  readonly isFit: (answer: RawAnswer, call: Call, here: SpelledPlaces) => boolean
  /** Whether an answer shows what the caller may see. */
  readonly leadsThere?: (answer: RawAnswer) => boolean
}

interface Call {
  readonly method: string
  readonly target: string
  readonly host: string
}

const ofPlaces = (hasLeases: boolean): Series[] =>
  Object.entries(places).flatMap(([kind, path]) => {
    const here = { host: WIKI, path, methods, hasLeases }
    const name = `${kind}${hasLeases ? ' with leases' : ''}`
    return [
      { ...here, name: `${name}, for strangers`, isFit: isFitForStrangers },
      {
        ...{ ...here, name: `${name}, for a member`, cookie: 'member', isFit: isFitForMembers },
        ...(kind !== 'a place of a group' && { leadsThere: ({ body }) => body.includes(SECRET) }),
      },
    ] satisfies Series[]
  })

const ofOwnPages = (path: string): Series[] =>
  [false, true].flatMap((isDirect) => {
    const here = { host: OWN, path, isDirect }
    const name = `${path}${isDirect ? ' past Apache' : ''}`
    return [
      { ...here, name: `${name}, for strangers`, methods, isFit: isFitForOwnStrangers(isDirect) },
      {
        ...{ ...here, name: `${name}, signed in`, cookie: 'portal', isFit: isFitForOwn(isDirect) },
        methods: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'],
        ...(path === '/auth/session/' && { leadsThere: namesAda }),
      },
    ] satisfies Series[]
  })

const series: readonly Series[] = [
  ...ofPlaces(false),
  ...ofPlaces(true),
  ...otherReaders.flatMap((host) =>
    Object.values(places).map((path) => {
      const name = `${path} at ${host}, for strangers`
      return { name, host, path, methods: ['GET', 'POST', 'PROPFIND'], isFit: isFitForStrangers }
    }),
  ),
  {
    ...{
      name: 'a host that is protected as a whole, for strangers',
      host: SHOP,
      path: '/secret/page',
      methods,
    },
    isFit: (answer, call, here) => isFitForStrangers(answer, call, here) && !answer.body.includes(OPEN),
  },
  ...ownPaths.flatMap(ofOwnPages),
]

/** `FT-PATH-1`: every spelling of an address, with every method, over sockets that tidy nothing up. */
export const spelledPaths: Trial = {
  id: 'FT-PATH-1',
  name: 'path-spellings',
  holds:
    'However an address is spelled and whatever the method, nobody is shown what is not for them, with leases and without, and on our own pages (I3).',
  rounds: `batches of ${BATCH} spellings with every method`,
  // With each change a quarter of the 300 spellings, for each series another one; then all, and then others.
  sizes: { ci: 3 * series.length, soak: BATCHES * series.length, release: 10 * BATCHES * series.length },
  needs: [
    'requests',
    ...series.filter(({ leadsThere }) => leadsThere).map(({ name }) => `led there: ${name}`),
  ],
  patience: 120,
  begin,
  judge: judged,
}

async function begin() {
  const [plain, leased] = [await startSpelledPlaces(false), await startSpelledPlaces(true)]
  return {
    round: (number: number) => {
      const each = series[number % series.length] as Series // It has at least one.
      const batch = Math.floor(number / series.length)
      return oneRound(each.hasLeases ? leased : plain, each, batch)
    },
    async end() {
      await plain.close()
      await leased.close()
      return undefined
    },
  }
}

async function oneRound(here: SpelledPlaces, each: Series, batch: number): Promise<Round> {
  const { name, host, path } = each
  const found = noFindings()
  const random = seededRandom('spellings', name, Math.floor(batch / BATCHES))
  const open = host === OWN ? '/login' : '/open'
  const all = random.shuffled(
    pathSpellings(SPELLINGS, () => random.below(2 ** 32) / 2 ** 32, { path, open, host }),
  )
  const spelled = all.slice((batch % BATCHES) * BATCH).slice(0, BATCH)
  const calls = spelled.flatMap((target) => each.methods.map((method) => ({ method, target, host })))
  here.arrived.length = 0
  let seen = 0
  const address = each.isDirect ? { path: here.ownSocket } : { port: here.httpsPort, serverName: host }
  await withRawClients(address, calls, async (client, call) => {
    const answer = await client.send({ ...call, headers: headersOf(here, each) })
    count(found.counts, 'requests')
    if (each.leadsThere?.(answer)) seen++
    if (each.isFit(answer, call, here)) return
    const { status, body } = answer
    found.violations.push(
      `${name}: ${call.method} ${JSON.stringify(call.target)}: ${status} ${body.slice(0, 80)}`,
    )
  })
  // The application is asked for what lies in its place, by whoever Apache knows.
  for (const { url, user } of here.arrived) {
    const isRight =
      each.cookie === 'member' && user === 'ada' && /^\/app(?:\/|$)/.test(new URL(url, 'http://app').pathname)
    if (!isRight) found.violations.push(`${name}: ${url} came to the application for ${user ?? 'nobody'}.`)
  }
  if (each.leadsThere === undefined) return found
  count(found.counts, `led there: ${name}`, seen)
  return { ...found, samples: { [name]: [seen / calls.length] } }
}

function headersOf(here: SpelledPlaces, { host, cookie }: Series): readonly (readonly [string, string])[] {
  return [
    ['Host', host === OWN ? host : `${host}:${here.httpsPort}`],
    ['Accept', 'text/html'],
    ['Content-Length', '0'],
    ...(cookie === undefined ? [] : [['Cookie', here[cookie]] as const]),
  ]
}

/** Whoever is not signed in is shown the way to sign in, a refusal, or what anybody may read. */
function isFitForStrangers(answer: RawAnswer, { method, host }: Call, { httpsPort }: SpelledPlaces): boolean {
  const { status, body } = answer
  if (body.includes('canary')) return false
  // Headers alone, or "OPTIONS *", which is about no path at all.
  if (status < 300) return body.includes(OPEN) || method === 'HEAD' || method === 'OPTIONS'
  if (status >= 400) return isNoFault(answer)
  const location = headerOf(answer, 'location') ?? ''
  const isSlashOfOpenFolder = location.startsWith(`https://${host}:${httpsPort}/open/`)
  return location.startsWith(`https://${OWN}/enter?`) || isSlashOfOpenFolder
}

function isFitForMembers(answer: RawAnswer): boolean {
  return !answer.body.includes(STAFF) && isNoFault(answer)
}

/** Numbers about the server are for whoever reaches its socket, and for nobody who comes through Apache. */
function isFitForOwn(isDirect: boolean): (answer: RawAnswer) => boolean {
  return (answer) => {
    const location = headerOf(answer, 'location') ?? '/'
    const staysHere = /^(?:\/(?![/\\])|https:\/\/auth\.example\.com\/)/.test(location)
    const isSecret = answer.body.includes('canary') || (!isDirect && answer.body.includes('# HELP'))
    return staysHere && !isSecret && isNoFault(answer)
  }
}

function isFitForOwnStrangers(isDirect: boolean): (answer: RawAnswer) => boolean {
  const isFit = isFitForOwn(isDirect)
  return (answer) => isFit(answer) && !namesAda(answer)
}

function namesAda({ body }: RawAnswer): boolean {
  return body.includes('"ada"')
}

function isNoFault({ status }: RawAnswer): boolean {
  return status < 500 || status === 501
}

/** A spelling that leads nowhere shows nothing; of the places of a member, one request in two hundred must lead there. */
function judged(samples: Samples): Judgement {
  const violations = Object.entries(samples)
    .filter(([name]) => name.endsWith('for a member'))
    .map(([name, parts]) => ({ name, part: parts.reduce((sum, part) => sum + part, 0) / parts.length }))
    .filter(({ part }) => part < 0.005)
    .map(({ name, part }) => `Of ${name} only ${part} led there at all.`)
  return { figures: {}, violations }
}
