import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { compose } from '../../src/compose.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import type { Apache } from '../../test/support/apache.ts'
import { configOf } from '../support/data.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { median } from '../support/numbers.ts'
import { openidMissing, signInAtProvider, startProvider } from '../support/openid.ts'
import { benchFile, cpuSeconds, freePort, startServer } from '../support/processes.ts'
import { SECRET, startProtected, type Way, ways } from '../support/protected-apache.ts'
import { startWatchword } from '../support/servers.ts'
import { type WrkOutcome, wrkWith } from '../support/wrk.ts'

/**
 * One small file of one Apache: open, protected with leases, asked about each time, asked of a trivial authorizer, and
 * protected by mod_auth_openidc where that is installed.
 */
export const protectedPlaces: Measurement = { names: ['protected'], run }

const needed = ['/usr/sbin/apache2', '/usr/bin/setpriv', '/usr/bin/wrk']
const VISITORS = 10_000
const CONNECTIONS = 16

/** By default the module's shared memory holds 500 things, of which each sign-in leaves several, the oldest going first. */
const OPENID_SESSIONS = 100

const siteTokenOf = (index: number): Token =>
  createHash('sha256').update(`site ${index}`).digest('base64url') as Token

async function run(bench: Bench): Promise<Line[]> {
  const missing = needed.filter((program) => !isThere(program))
  if (missing.length > 0) {
    console.log(`– protected is left out: there is no ${missing.join(' and no ')}.`)
    return []
  }
  const tokens = Array.from({ length: VISITORS }, (_, index) => siteTokenOf(index))
  const memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ww-leases-'))
  chmodSync(memory, 0o755)
  const leaseDirectory = join(memory, 'leases')
  const trivial = await startServer([benchFile('reference/trivial-authorizer.ts')], {
    log: bench.log,
    ipc: true,
  })
  trivial.child.send(tokens)
  const port = await freePort()
  const without = openidMissing()
  if (without !== undefined) console.log(`– protected is measured without mod_auth_openidc: ${without}.`)
  const provider = without === undefined ? await startProvider(bench.log) : undefined
  const apache = await startProtected({
    port,
    trivialPort: trivial.port,
    leaseDirectory,
    providerPort: provider?.port,
  })
  const origin = `http://127.0.0.1:${apache.httpPort}`
  const folder = bench.data.watchword('real')
  await addVisitors(folder, origin, tokens)
  writeFileSync(join(folder, 'watchword.toml'), '[policies.asking]\nlease = 0\n')
  writeFileSync(join(folder, 'authorizer-secret'), `${SECRET}\n`, { mode: 0o600 })
  const server = await startWatchword(
    bench,
    {
      WATCHWORD_CONFIG: join(folder, 'watchword.toml'),
      WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${port}`,
      WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: leaseDirectory,
      WATCHWORD_LOGIN_RETURN_ORIGINS: origin,
    },
    folder,
  )
  try {
    const seen = touchAll(join(folder, 'watchword.sqlite3'))
    const places = placesOf(tokens)
    if (provider !== undefined) places.push(await openidPlace(origin))
    return linesOf(await measureAll(bench, places, { apache, seen, pids: [server.pid, trivial.pid] }))
  } finally {
    await Promise.all([server, trivial, provider, apache].map((each) => each?.stop()))
    rmSync(memory, { recursive: true, force: true })
  }
}

interface Measured extends WrkOutcome {
  /** Processor time of a request in microseconds: of Apache, of Watchword, of the trivial authorizer. */
  readonly cpu: readonly [number, number, number]
}

/** One way to the file, and whose cookies are sent there in turn. */
interface Place {
  readonly way: Way
  readonly cookies: readonly string[]
}

function placesOf(tokens: readonly Token[]): Place[] {
  const cookies = tokens.map((token) => `theme=dark; watchword-site=${token}`)
  return ways
    .filter((way) => way !== 'openid')
    .map((way) => ({ way, cookies: way === 'few' ? cookies.slice(0, OPENID_SESSIONS) : cookies }))
}

async function openidPlace(origin: string): Promise<Place> {
  const cookies = await signInAtProvider(`${origin}/openid/`, OPENID_SESSIONS)
  return { way: 'openid', cookies: cookies.map((cookie) => `theme=dark; ${cookie}`) }
}

async function measureAll(
  bench: Bench,
  places: readonly Place[],
  { apache, seen, pids }: { apache: Apache; seen: () => void; pids: readonly [number, number] },
): Promise<Partial<Record<Way, Measured[]>>> {
  const seconds = bench.quick ? 1 : 3
  const apachePid = Number(readFileSync(join(apache.folder, 'apache2.pid'), 'utf8'))
  const cpuNow = () => [familyCpu(apachePid), ...pids.map(cpuSeconds)]
  const runs = places.map((place) => {
    const scripts = join(bench.data.folder, place.way)
    mkdirSync(scripts)
    const wrk = wrkWith(scripts, place.cookies)
    return {
      way: place.way,
      measured: [] as Measured[],
      ask: (seconds: number) => wrk(apache.httpPort, `/${place.way}/`, { seconds, connections: CONNECTIONS }),
    }
  })
  for (const place of places) await expectPage(apache, place)
  for (let round = -1; round < (bench.quick ? 2 : 5); round++) {
    for (const { way, measured, ask } of runs) {
      // Everybody was here half a minute ago: what is left to renew is what renewing costs in the long run.
      seen()
      await ask(way === 'leased' || way === 'few' ? Math.ceil(seconds * 1.5) : 1)
      seen()
      const before = cpuNow()
      const outcome = await ask(seconds)
      const [httpd = 0, ours = 0, theirs = 0] = cpuNow().map(
        (now, index) => ((now - (before[index] ?? 0)) / outcome.requests) * 1e6,
      )
      if (round >= 0) measured.push({ ...outcome, cpu: [httpd, ours, theirs] })
    }
  }
  const [open = 0, ...others] = runs.map(({ measured }) => median(measured.map(({ bytesEach }) => bytesEach)))
  if (others.some((bytes) => Math.abs(bytes - open) > 5)) {
    throw new Error(
      `Not everybody got the page: ${[open, ...others].map(Math.round).join(', ')} bytes an answer.`,
    )
  }
  return Object.fromEntries(runs.map(({ way, measured }) => [way, measured]))
}

function linesOf(measured: Partial<Record<Way, readonly Measured[]>>): Line[] {
  const of = (way: Way) => measured[way] ?? []
  const rate = (way: Way) => median(of(way).map((each) => each.rate))
  const cpu = (way: Way, index: 0 | 1 | 2) => median(of(way).map((each) => each.cpu[index])).toFixed(0)
  // In turns within one run: each round is compared with itself, so a core that changes speed changes both.
  const ratio = (way: Way, to: Way) =>
    median(of(way).map((each, round) => each.rate / (of(to)[round]?.rate ?? Number.NaN)))
  const p99 = (way: Way) => median(of(way).map((each) => each.p99))
  const common = { name: 'protected', must: 'be at least', unit: '', digits: 2 } as const
  return [
    {
      ...common,
      what: `protected file per second with leases, ${VISITORS} cookies in turn, 16 at once ÷ unprotected`,
      measured: ratio('leased', 'open'),
      target: 0.75,
      behind: [
        `${rate('leased').toFixed(0)}/s, unprotected ${rate('open').toFixed(0)}/s`,
        `p99 ${p99('leased').toFixed(1)} and ${p99('open').toFixed(1)} ms`,
        `processor ${cpu('leased', 0)} µs of Apache and ${cpu('leased', 1)} of Watchword, unprotected ${cpu('open', 0)}`,
      ],
    },
    {
      ...common,
      what: '… every request asked (lease = 0) ÷ trivial authorizer',
      measured: ratio('asked', 'trivial'),
      target: 0.8,
      behind: [
        `${rate('asked').toFixed(0)}/s, trivial ${rate('trivial').toFixed(0)}/s`,
        `÷ unprotected ${ratio('asked', 'open').toFixed(2)} and ${ratio('trivial', 'open').toFixed(2)}`,
        `processor ${cpu('asked', 0)} µs of Apache and ${cpu('asked', 1)} of Watchword, trivial ${cpu('trivial', 0)} and ${cpu('trivial', 2)}`,
      ],
    },
    {
      ...common,
      what: '… p99 of a request that is asked about',
      measured: p99('asked'),
      target: 30,
      must: 'be at most',
      unit: 'ms',
      digits: 1,
      behind: [`trivial ${p99('trivial').toFixed(1)} ms`],
    },
    ...(of('openid').length === 0
      ? []
      : [
          {
            ...common,
            what: `… with leases ÷ mod_auth_openidc with its shared memory, ${OPENID_SESSIONS} cookies in turn`,
            measured: ratio('few', 'openid'),
            target: 1,
            behind: [
              `${rate('few').toFixed(0)}/s, the module ${rate('openid').toFixed(0)}/s`,
              `÷ unprotected ${ratio('few', 'open').toFixed(2)} and ${ratio('openid', 'open').toFixed(2)}`,
              `p99 ${p99('few').toFixed(1)} and ${p99('openid').toFixed(1)} ms`,
              `processor ${cpu('few', 0)} µs of Apache and ${cpu('few', 1)} of Watchword, the module ${cpu('openid', 0)}`,
            ],
          },
        ]),
  ]
}

/** A session for everybody, known at the host already. */
async function addVisitors(folder: string, host: string, tokens: readonly Token[]): Promise<void> {
  const { services, close } = await compose(configOf(folder))
  const { db, policy } = services
  const now = services.now()
  const users = await db.selectFrom('user').select('id').orderBy('id').limit(tokens.length).execute()
  await db.transaction().execute(async (tx) => {
    for (const [index, token] of tokens.entries()) {
      const userId = users[index]?.id
      if (userId === undefined) throw new Error('There are too few people.')
      const sessionId = newId()
      await sessions.insert(tx, {
        ...{ id: sessionId, userId, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
        ...{ expiresAt: now + policy.session.absoluteLifetime, address: '203.0.113.7', userAgent: 'bench' },
        tokenHash: hashToken(newToken()),
      })
      await siteSessions.replace(tx, { tokenHash: hashToken(token), sessionId, host }, now)
    }
  })
  await close()
}

/**
 * Marks every session as seen just now.
 *
 * Activity is written down once a minute. With all of them asked in turn in short rounds every request would be the
 * one of its minute that is, and waits for the disk.
 */
function touchAll(file: string): () => void {
  return () => {
    const database = new DatabaseSync(file, { timeout: 5000 })
    database.prepare('UPDATE session SET last_seen_at = ?').run(Math.floor(Date.now() / 1000))
    database.close()
  }
}

async function expectPage({ httpPort }: Apache, { way, cookies: [cookie = ''] }: Place): Promise<void> {
  const address = `http://127.0.0.1:${httpPort}/${way}/`
  const answer = await fetch(address, { headers: { cookie }, redirect: 'manual' })
  const stranger = await fetch(address, { redirect: 'manual' })
  if (answer.status !== 200 || (stranger.status === 200) !== (way === 'open')) {
    throw new Error(`/${way}/ was answered ${answer.status}, and ${stranger.status} without a cookie.`)
  }
}

/** Processor seconds of a process and its children. */
function familyCpu(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return [pid, ...children.map(Number)].reduce((sum, each) => sum + cpuSeconds(each), 0)
}

function isThere(program: string): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false // Which the line of the table tells.
  }
}
