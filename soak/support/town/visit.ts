import { request } from 'node:http'
import type { Node } from './node.ts'

// biome-ignore lint/suspicious/noExplicitAny: the body of an answer is whatever the trial says it is.
type Json = any

/** What came of one request. */
export type Reply =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The `code` of an error; empty where there is none. */
      readonly code: string
      readonly body: Json
      /** Token that the answer gave, by the last word of the cookie's name. */
      readonly cookies: Readonly<Record<string, string>>
    }
  /** The connection broke before the whole answer was there: whether it was done, nobody was told. */
  | { readonly kind: 'lost' }
  /** There was nobody to connect to, so nothing was done. */
  | { readonly kind: 'unsent' }

export interface Visit {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly fields?: object
  readonly session?: string
  readonly login?: string
  readonly browser?: string
  readonly address: string
}

/** How long an answer may take, in milliseconds; more than any wait of the program and any pause of a trial. */
const PATIENCE_MS = 60_000

/** So often what changes nothing is sent, as browsers do, when its connection is closed without an answer. */
const TRIES = 3

/**
 * Sends one request to a node.
 *
 * Apache closes a connection that was used before when it finds the one to the server broken, for the browser to send
 * again what may be sent twice.
 */
export async function visit(node: Pick<Node, 'port' | 'agent'>, to: Visit): Promise<Reply> {
  const tries = to.method === 'GET' ? TRIES : 1
  for (let tried = 1; tried < tries; tried++) {
    const reply = await send(node, to)
    if (reply.kind !== 'lost') return reply
  }
  return send(node, to)
}

function send({ port, agent }: Pick<Node, 'port' | 'agent'>, to: Visit): Promise<Reply> {
  const body = to.fields === undefined ? '' : JSON.stringify(to.fields)
  const cookies = Object.entries({ session: to.session, login: to.login, browser: to.browser })
    .filter(([, token]) => token !== undefined)
    .map(([name, token]) => `__Host-watchword-${name}=${token}`)
  const headers = {
    host: 'auth.example.com',
    'x-forwarded-for': to.address,
    'content-length': String(Buffer.byteLength(body)),
    ...(to.fields !== undefined && { 'content-type': 'application/json' }),
    ...(cookies.length > 0 && { cookie: cookies.join('; ') }),
  }
  const { method, path } = to
  return new Promise((resolve) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent,
      method,
      path,
      headers,
      timeout: PATIENCE_MS,
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', (error) =>
      resolve({ kind: 'code' in error && error.code === 'ECONNREFUSED' ? 'unsent' : 'lost' }),
    )
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => resolve({ kind: 'lost' }))
      incoming.on('close', () => {
        if (!incoming.complete) return resolve({ kind: 'lost' })
        const text = Buffer.concat(chunks).toString()
        const isJson = incoming.headers['content-type']?.startsWith('application/json') === true
        const parsed = isJson ? (JSON.parse(text) as Json) : undefined
        resolve({
          kind: 'answered',
          status: incoming.statusCode ?? 0,
          code: parsed?.code ?? '',
          body: parsed,
          cookies: given(incoming.headers['set-cookie'] ?? []),
        })
      })
    })
    outgoing.end(body)
  })
}

function given(lines: readonly string[]): Record<string, string> {
  const tokens: Record<string, string> = {}
  for (const line of lines) {
    const [, name, token] = /^__Host-watchword-(\w+)=([\w-]+);/.exec(line) ?? []
    if (name !== undefined && token !== undefined) tokens[name] = token
  }
  return tokens
}
