import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'

const run = promisify(execFile)

/** Linux keeps 108 bytes for the path of a socket, `/.s.PGSQL.5432` included. */
const longestFolder = 80

/** A PostgreSQL cluster of one test file: own folder, own processes, no TCP. */
export interface Postgres {
  /** Folder of the data and of the socket; mode 0700. */
  readonly folder: string
  /** Address of a database of this cluster, as superuser `postgres`; `pg`, libpq and `new URL` all read it. */
  url(database: string): string
  /** Makes an empty database and returns its address. */
  createDatabase(name: string): Promise<string>
  /** What the server wrote to its log so far. */
  log(): string
  /** Immediate shutdown without a checkpoint: what a crash leaves behind. Data stays; `start` brings it up again. */
  kill(): Promise<void>
  /** SIGKILL to the server and each of its processes, as when memory runs out: nothing is left to clean up. */
  crash(): Promise<void>
  /** Starts it again after `kill` or `crash`, with recovery; resolves when it takes connections. */
  start(): Promise<void>
  /** Ends the server and removes the folder. Open connections are cut. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a cluster in a new temporary folder, on a Unix socket in that folder only.
 *
 * PostgreSQL refuses to run as root, so for root it runs as Debian's user `postgres`. Its durability settings are
 * left as they are by default. It dies with this process, however this process ends.
 */
export async function startPostgres(): Promise<Postgres> {
  const bin = programFolder()
  const folder = mkdtempSync(join(shortTemporaryFolder(), 'ww-pg-'))
  const owner = await unprivilegedUser()
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const logFile = join(folder, 'log')
  const url = (database: string): string =>
    `postgres://postgres@localhost/${encodeURIComponent(database)}?host=${encodeURIComponent(folder)}`

  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    if (server) return
    const log = openSync(logFile, 'a')
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${folder}`,
      'unix_socket_permissions=0700',
    ]
    const asOwner = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : []
    // pdeathsig: a test file that is killed runs no clean-up, and must leave no server behind.
    const child = spawn(
      'setpriv',
      [
        ...asOwner,
        ...['--pdeathsig', 'QUIT', join(bin, 'postgres'), '-D', data],
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      { cwd: folder, stdio: ['ignore', log, log], env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } },
    )
    closeSync(log)
    server = child
    await untilReady(url('postgres'), child, () => readFileSync(logFile, 'utf8'))
  }

  async function end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  async function crash(): Promise<void> {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    const { pid } = child
    const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    child.kill('SIGKILL')
    for (const each of own) {
      try {
        process.kill(Number(each), 'SIGKILL')
      } catch {
        // It ended by itself in between.
      }
    }
    await ended
    // It refuses to start while one of them still holds the memory that they share.
    while (own.some((each) => existsSync(`/proc/${each}`))) await delay(5)
  }

  async function createDatabase(name: string): Promise<string> {
    const client = new Client({ connectionString: url('postgres') })
    await client.connect()
    try {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
    } finally {
      await client.end()
    }
    return url(name)
  }

  async function stop(): Promise<void> {
    await end('SIGINT')
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    await run(
      join(bin, 'initdb'),
      [
        ...['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C'],
        ...['--no-sync', '--no-instructions'],
      ],
      { cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...owner },
    )
    await start()
  } catch (fault) {
    await stop()
    throw fault
  }
  return {
    folder,
    url,
    createDatabase,
    log: () => readFileSync(logFile, 'utf8'),
    kill: () => end('SIGQUIT'),
    crash,
    start,
    stop,
  }
}

/** Folder of `initdb` and `postgres`; the newest release where Debian has several. */
function programFolder(): string {
  const root = '/usr/lib/postgresql'
  const releases = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const folder = releases
    .map((release) => join(root, release, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
  if (!folder) throw new Error('PostgreSQL is not installed: apt-get install postgresql')
  return folder
}

function shortTemporaryFolder(): string {
  const folder = tmpdir()
  return Buffer.byteLength(folder) < longestFolder ? folder : '/tmp'
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  )
  if (!uid || !gid) throw new Error('the user postgres must exist and not be root')
  return { uid, gid }
}

async function untilReady(connectionString: string, server: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (server.exitCode !== null || server.signalCode !== null) break
    const client = new Client({ connectionString })
    // Not up yet: the socket is missing, or the server says that it is starting.
    const connected = await client.connect().then(
      () => true,
      () => false,
    )
    if (connected) return client.end()
    await delay(50)
  }
  throw new Error(`PostgreSQL did not start:\n${log()}`)
}
