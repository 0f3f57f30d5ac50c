import type { Services } from '../../src/services.ts'
import { type RawAnswer, RawClient, type RawRequest } from '../../test/support/raw-client.ts'
import type { Nodes } from './nodes.ts'

/** One of many attempts that are let go together. */
export interface Shot {
  /** By which way, such as `page`. */
  readonly way: string
  readonly request: RawRequest
  /** The same, done by a second process beside the server where only one may serve. */
  readonly beside?: (services: Services) => Promise<{ readonly kind: string }>
  /** Whether an answer says that it was this one; by default by the cookie that it sets, or by letting a request in. */
  readonly isWon?: (answer: RawAnswer) => boolean
}

export interface Hit {
  readonly way: string
  readonly won: boolean
  /** The status, or the outcome beside the server. */
  readonly said: string
  readonly answer?: RawAnswer
}

/** Connections that are open and used already, spread over all processes. */
export interface Lanes {
  /** All at once: every request is written before any answer is read. */
  fire(shots: readonly Shot[]): Promise<Hit[]>
  /** One by itself, in its turn. */
  one(shot: Shot): Promise<Hit>
  close(): void
}

/** How long an answer may take, in seconds; on a machine that is busy with other things many come late. */
const PATIENCE = 60

const warming: RawRequest = { method: 'GET', target: '/healthz', headers: [['host', '127.0.0.1']] }

export async function openLanes(
  { ports, beside }: Pick<Nodes, 'ports' | 'beside'>,
  { count, besideEvery }: { readonly count: number; readonly besideEvery?: number },
): Promise<Lanes> {
  const clients = Array.from({ length: count }, (_, index) => {
    return new RawClient({ port: ports[index % ports.length] ?? 0 }, PATIENCE)
  })
  // Servers let go of connections that nobody uses.
  let warmAt = Number.NEGATIVE_INFINITY
  const shoot = async (shot: Shot, index: number): Promise<Hit> => {
    const isBeside = besideEvery !== undefined && index % besideEvery === besideEvery - 1
    if (isBeside && shot.beside !== undefined) {
      const { kind } = await shot.beside(beside)
      return { way: `${shot.way} beside`, won: wonKinds.has(kind), said: kind }
    }
    const answer = await (clients[index % count] as RawClient).send(shot.request)
    const won = (shot.isWon ?? hasWon)(answer)
    return { way: shot.way, won, said: String(answer.status), answer }
  }
  return {
    async fire(shots) {
      if (performance.now() - warmAt > 2000) await Promise.all(clients.map((client) => client.send(warming)))
      const hits = await Promise.all(shots.map(shoot))
      warmAt = performance.now()
      return hits
    },
    one: (shot) => shoot(shot, 0),
    close: () => {
      for (const client of clients) client.close()
    },
  }
}

/** A session or the next step of a login, the cookie of a protected host, or one request let in. */
function hasWon({ status, headers }: RawAnswer): boolean {
  return status === 204 || headers.some(([name, value]) => name === 'set-cookie' && token.test(value))
}

const token = /^(?:__Host-)?watchword-(?:session|login|site)=[\w-]{43};/

const wonKinds = new Set(['signed-in', 'continue', 'confirmed', 'allow', 'reset'])

const usual: readonly (readonly [string, string])[] = [
  ['host', '127.0.0.1:8443'],
  ['user-agent', 'trial'],
]

export interface From {
  readonly address: string
  readonly cookie?: string
}

const who = ({ address, cookie }: From): (readonly [string, string])[] => [
  ...usual,
  ['x-forwarded-for', address],
  ...(cookie === undefined ? [] : ([['cookie', cookie]] as const)),
]

export function jsonRequest(method: string, target: string, from: From, fields?: object): RawRequest {
  if (fields === undefined) return { method, target, headers: who(from) }
  const body = JSON.stringify(fields)
  const length = String(Buffer.byteLength(body))
  const headers = [...who(from), ['content-type', 'application/json'], ['content-length', length]] as const
  return { method, target, headers, body }
}

export function formRequest(
  target: string,
  from: From,
  fields: Readonly<Record<string, string>>,
): RawRequest {
  const body = new URLSearchParams(fields).toString()
  const headers = [
    ...who(from),
    ['content-type', 'application/x-www-form-urlencoded'],
    ['content-length', String(Buffer.byteLength(body))],
  ] as const
  return { method: 'POST', target, headers, body }
}

/** As a proxy asks about a request of a protected place. */
export function placeRequest(
  { callerSecret }: Pick<Nodes, 'callerSecret'>,
  { address, cookie }: From,
  { policy, uri = '/', basic }: { readonly policy: string; readonly uri?: string; readonly basic?: string },
): RawRequest {
  const headers: (readonly [string, string])[] = [
    ...who(cookie === undefined ? { address } : { address, cookie }),
    ['x-watchword-secret', callerSecret],
    ['x-forwarded-method', 'GET'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-host', 'wiki.example.net'],
    ['x-forwarded-uri', uri],
  ]
  if (basic === undefined) headers.push(['accept', 'text/html'])
  else headers.push(['authorization', `Basic ${Buffer.from(basic).toString('base64')}`])
  return { method: 'GET', target: `/api/authorize?policy=${policy}`, headers }
}
