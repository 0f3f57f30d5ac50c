import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Composed, compose } from '../../src/compose.ts'
import type { Config } from '../../src/config/load.ts'
import { readCallerSecret } from '../../src/crypto/caller-secret.ts'
import { environment } from '../../test/support/watchword.ts'
import { forgetClockOf } from './fake-clock.ts'
import { BEYOND, type Beyond, trialConfig } from './trial-config.ts'

/** The address that people of a trial see; the processes answer on ports of their own. */
const ORIGIN = 'http://127.0.0.1:8443'
/** A host whose places the policies of a trial protect. */
export const WIKI = 'https://wiki.example.net'

/** As settings of a world: a policy that programs may enter, too. */
export const programPolicies = {
  programs: {
    ...{ groups: [], users: [], networks: [], assertion: false, lease: 0, within: undefined },
    ...({ proof: 'two-factor', access: ['session', 'app-password', 'password-code'] } as const),
    codeWindow: 600,
  },
}

export interface NodesOptions extends Omit<Beyond, 'folder'> {
  /** Where data, key and log lie; made if it is not there. */
  readonly folder: string
  /** Without one, a file of SQLite, which one process alone serves. */
  readonly databaseUrl?: string
  readonly processes: number
  /** Tables of `watchword.toml`. */
  readonly toml?: string
  readonly env?: Readonly<Record<string, string>>
  /** The clock of the services beside the processes, where that of the processes is not the machine's. */
  readonly now?: () => number
}

/** Processes of the program on one database, and the services of this process beside them. */
export interface Nodes {
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  readonly beside: Composed['services']
  readonly config: Config
  /** What a proxy shows to be believed. */
  readonly callerSecret: string
  /** What all processes computed so far: passwords compared, and HMACs of codes, one for each step and device. */
  computed(): Promise<Computed>
  /** What all processes wrote to their logs. */
  log(): string
  close(): Promise<void>
}

/** Starts the processes one after the other, as the first one makes key and tables. */
export async function startNodes(options: NodesOptions): Promise<Nodes> {
  const { folder, databaseUrl, processes, toml = '', env = {}, now, ...beyond } = options
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'watchword.toml'), toml)
  const settings: Record<string, string> = {
    ...environment(folder),
    WATCHWORD_LISTEN: '127.0.0.1:0',
    WATCHWORD_ORIGIN: ORIGIN,
    WATCHWORD_TRUSTED_PROXIES: '127.0.0.1',
    WATCHWORD_LOGIN_RETURN_ORIGINS: WIKI,
    ...(databaseUrl !== undefined && { WATCHWORD_DATABASE: databaseUrl }),
    ...env,
    [BEYOND]: JSON.stringify({ ...beyond, folder } satisfies Beyond),
  }
  const started: Process[] = []
  const end = () => Promise.all(started.map((each) => each.end()))
  try {
    while (started.length < processes) started.push(await startProcess(folder, settings))
    const config = trialConfig(settings)
    const composed = await compose(config, now === undefined ? {} : { now })
    return {
      ports: started.map(({ port }) => port),
      pids: started.map(({ pid }) => pid),
      beside: composed.services,
      config,
      callerSecret: readCallerSecret(config.authorizer.secretFile),
      computed: async () => {
        const counts = await Promise.all(started.map((each) => each.computed()))
        const sum = (kind: keyof Computed) => counts.reduce((total, each) => total + each[kind], 0)
        return { passwords: sum('passwords'), hmacs: sum('hmacs') }
      },
      log: () => readFileSync(join(folder, 'log'), 'utf8'),
      async close() {
        await composed.close()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

export interface Computed {
  readonly passwords: number
  readonly hmacs: number
}

interface Process {
  readonly port: number
  readonly pid: number
  computed(): Promise<Computed>
  end(): Promise<unknown>
}

const entry = join(import.meta.dirname, 'server.ts')

/** It dies with this process, however this process ends. */
async function startProcess(folder: string, env: Record<string, string>): Promise<Process> {
  const log = openSync(join(folder, 'log'), 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, entry], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', log, 'ipc'],
  })
  closeSync(log)
  const { stdout } = child
  if (stdout === null) throw new Error('The standard output was asked for.')
  const exited = once(child, 'exit')
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const [, found] = /ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
      if (found !== undefined) resolve(Number(found))
    })
    exited.then(() => reject(new Error(`A server ended at its start: ${readFileSync(join(folder, 'log'))}`)))
  })
  return {
    port,
    pid: child.pid ?? 0,
    async computed() {
      const answer = once(child, 'message')
      child.send('computed')
      return (await answer)[0] as Computed
    },
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
      forgetClockOf(child.pid ?? 0)
    },
  }
}
