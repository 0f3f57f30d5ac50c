import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createUser, type NewUser } from '../src/actions/create-user.ts'
import { createAuthorizer } from '../src/authorizer/authorizer.ts'
import { compose, systemClock } from '../src/compose.ts'
import { type Config, loadConfig } from '../src/config/load.ts'
import { callerProof } from '../src/domain/caller-proof.ts'
import type { UserId } from '../src/domain/user.ts'
import { createApp } from '../src/http/app.ts'
import { createEdge } from '../src/http/create-edge.ts'
import type { Edge } from '../src/http/endpoint.ts'
import type { Peer } from '../src/http/guards/client-address.ts'
import { createLog } from '../src/observe/log.ts'
import { createMetrics } from '../src/observe/metrics.ts'
import type { Services } from '../src/services.ts'
import { assertDeclared } from './http/declared-answers.ts'

/** A password that every rule accepts. */
export const PASSWORD = 'correct horse battery staple'

/** By which a proxy shows to a world that it may ask about protected places. */
export const CALLER_SECRET = 'the-secret-of-the-proxy-of-a-world'

/** The clock of a world: it stands still until it is moved, unless it is asked to tick. */
export interface Clock {
  now(): number
  advance(seconds: number): void
  set(now: number): void
}

export interface WorldOptions {
  /** A database of PostgreSQL; without one, a file of SQLite. */
  readonly databaseUrl?: string
  /** Settings over the defaults, as tables of the program's own spelling. */
  readonly config?: { readonly [K in keyof Config]?: Partial<Config[K]> | Config[K] }
  /** A clock that ticks with the machine's, for what other programs write down; `set` and `advance` move it. */
  readonly ticking?: boolean
  /** Real password hashes; by default they are as cheap as the algorithm allows. */
  readonly realHashes?: boolean
  /** Takes the lines of the log, at debug level; without it there is no log. */
  readonly log?: (line: string) => void
}

/** The real application on a real database, with a clock in hand. */
export interface World {
  readonly clock: Clock
  readonly config: Config
  readonly services: Services
  readonly edge: Edge
  readonly app: ReturnType<typeof createApp>
  /** A browser (or any client that keeps cookies) at an address. */
  browser(options?: BrowserOptions): Browser
  /** Makes a user; the password is `PASSWORD` unless said otherwise. */
  user(username: string, more?: Partial<NewUser>): Promise<UserId>
  /** Makes a user and signs them in with a new phone, all the way. */
  enrolled(username: string, more?: Partial<NewUser>): Promise<Enrolled>
  /** The audit log, oldest first. */
  audit(): Promise<
    { event: string; outcome: string; user_id: string | null; fields: Record<string, unknown> }[]
  >
  close(): Promise<void>
}

export interface BrowserOptions {
  readonly address?: string
  readonly userAgent?: string
  readonly peer?: Peer
}

export interface Enrolled {
  readonly id: UserId
  readonly username: string
  readonly browser: Browser
  readonly phone: Phone
}

// biome-ignore lint/suspicious/noExplicitAny: the body of an answer is whatever the test says it is.
type Json = any

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Json
  readonly setCookies: readonly string[]
}

/** A client that keeps cookies by name, as browsers do. */
export interface Browser {
  readonly cookies: Map<string, string>
  get(path: string, headers?: Record<string, string>): Promise<Reply>
  post(path: string, fields?: object, headers?: Record<string, string>): Promise<Reply>
  patch(path: string, fields?: object): Promise<Reply>
  delete(path: string): Promise<Reply>
  send(path: string, init: RequestInit & { keepCookies?: boolean }): Promise<Reply>
  /** The same browser as it is now, going its own way from here. */
  clone(): Browser
}

/** An authenticator app; its codes are `oathtool`'s, not ours. */
export interface Phone {
  readonly secret: string
  /** The code at the world's time, or `steps` time steps later. */
  code(steps?: number): string
}

/** Starts a world; close it at the end. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'watchword-'))
  const config = configOf(folder, options)
  const ticks = options.ticking === true ? systemClock : () => 0
  let now = options.ticking === true ? 0 : 1_800_000_000
  const clock: Clock = {
    now: () => now + ticks(),
    advance: (seconds) => {
      now += seconds
    },
    set: (to) => {
      now = to - ticks()
    },
  }
  const { services, close } = await compose(config, { now: clock.now })
  const log = createLog(options.log ? 'debug' : 'silent', { write: (line) => options.log?.(line) })
  const metrics = createMetrics(() => services.hasher.load())
  const { origin, login } = config
  const edge = createEdge(services, config, {
    log,
    metrics,
    authorizer: {
      isCaller: callerProof(CALLER_SECRET),
      decide: createAuthorizer(services, { origin, hosts: new Set(login.returnOrigins), metrics }),
    },
  })
  const app = createApp(edge)

  const world: World = {
    clock,
    config,
    services,
    edge,
    app,
    browser: (browserOptions = {}) => openBrowser(app, browserOptions),
    async user(username, more = {}) {
      const outcome = await createUser(services, { ...newUser(username), ...more }, { operator: 'test' })
      if (outcome.kind !== 'created') throw new Error(`The user was not created: ${outcome.kind}`)
      return outcome.id
    },
    enrolled: (username, more) => enrol(world, username, more),
    async audit() {
      const rows = await services.db
        .selectFrom('audit_event')
        .select(['event', 'outcome', 'user_id', 'fields'])
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields) as Record<string, unknown> }))
    },
    async close() {
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}

const newUser = (username: string): NewUser => ({
  username,
  displayName: '',
  isSuperuser: false,
  password: PASSWORD,
  mustChangePassword: false,
  groups: [],
})

function configOf(folder: string, { databaseUrl, config = {}, realHashes = false }: WorldOptions): Config {
  const database = databaseUrl === undefined ? {} : { WATCHWORD_DATABASE: databaseUrl }
  const defaults = loadConfig({
    cwd: folder,
    env: { WATCHWORD_ORIGIN: 'https://auth.example.com', ...database },
  })
  const cheap = realHashes ? {} : { memoryKib: 8, passes: 1 }
  const merged: Record<string, unknown> = { ...defaults, password: { ...defaults.password, ...cheap } }
  for (const [name, value] of Object.entries(config)) {
    const before = merged[name]
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !('kind' in value)
    merged[name] = isTable ? { ...(before as object), ...value } : value
  }
  return merged as unknown as Config
}

async function enrol(world: World, username: string, more?: Partial<NewUser>): Promise<Enrolled> {
  const id = await world.user(username, more)
  const browser = world.browser()
  const password = more?.password ?? PASSWORD
  await expectStatus(browser.post('/auth/login/', { username, password }), 200)
  const begun = await expectStatus(browser.post('/auth/register-secret/'), 200)
  const phone = phoneOf(world.clock, begun.body.shared_secret)
  await expectStatus(browser.post('/auth/verify/', { otp: phone.code() }), 200)
  // The code of the enrolment is used; the next step has the next one.
  world.clock.advance(30)
  return { id, username, browser, phone }
}

/** The reply if it has this status; otherwise the test fails with what came instead. */
export async function expectStatus(reply: Promise<Reply>, status: number): Promise<Reply> {
  const got = await reply
  if (got.status !== status) throw new Error(`Expected ${status}, got ${got.status}: ${got.text}`)
  return got
}

/** An authenticator with this base32 secret. */
export function phoneOf(clock: Pick<Clock, 'now'>, secret: string): Phone {
  return { secret, code: (steps = 0) => totp(secret, clock.now() + 30 * steps) }
}

/** `oathtool`'s code for a base32 secret at an instant. */
export function totp(secret: string, at: number): string {
  return execFileSync('oathtool', ['--totp', '--base32', '--now', `@${at}`, secret], {
    encoding: 'utf8',
  }).trim()
}

function openBrowser(
  app: World['app'],
  { address = '203.0.113.7', userAgent = 'test', peer = { kind: 'tcp', address } }: BrowserOptions,
  cookies = new Map<string, string>(),
): Browser {
  const send: Browser['send'] = async (path, { keepCookies = true, ...init }) => {
    const headers = new Headers(init.headers)
    if (cookies.size > 0 && !headers.has('cookie')) {
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    if (!headers.has('user-agent')) headers.set('user-agent', userAgent)
    const response = await app.request(`https://auth.example.com${path}`, { ...init, headers }, { peer })
    const text = await response.text()
    const setCookies = response.headers.getSetCookie()
    if (keepCookies) for (const line of setCookies) keep(cookies, line)
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const reply = {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
      setCookies,
    }
    assertDeclared(init.method ?? 'GET', path, reply)
    return reply
  }
  const sendJson = (
    method: string,
    path: string,
    fields: object | undefined,
    headers: Record<string, string> = {},
  ) =>
    fields === undefined
      ? send(path, { method, headers })
      : send(path, {
          method,
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(fields),
        })
  return {
    cookies,
    send,
    get: (path, headers = {}) => send(path, { method: 'GET', headers }),
    post: (path, fields, headers) => sendJson('POST', path, fields, headers),
    patch: (path, fields) => sendJson('PATCH', path, fields),
    delete: (path) => send(path, { method: 'DELETE' }),
    clone: () => openBrowser(app, { userAgent, peer }, new Map(cookies)),
  }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split('; ')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals)
  if (attributes.includes('Max-Age=0')) cookies.delete(name)
  else cookies.set(name, pair.slice(equals + 1))
}
