import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compose } from '../../../src/compose.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Random } from '../random.ts'
import { signIn } from './deeds.ts'
import { launchNode, type Node, type NodeOrders, type SpareNode, spareNode } from './node.ts'
import { perform } from './perform.ts'
import type { Person } from './person.ts'
import { populate } from './populate.ts'
import { postgresRecords, type Records, sqliteRecords } from './records.ts'

/** People with authenticators, and the servers that they sign in to. */
export interface Town {
  readonly folder: string
  /** What its servers write to standard error. */
  readonly log: string
  /** Settings of its servers, as environment. */
  readonly env: Readonly<Record<string, string>>
  readonly people: readonly Person[]
  /** The servers that are up. */
  readonly nodes: Node[]
  /** What its database says, read past the program. */
  readonly records: Records
  /** One of the servers. */
  node(random: Random): Node
  /** Starts one more server; resolves when it takes requests. */
  start(how?: 'real' | 'least' | 'launched'): Promise<Node>
  /** Starts one on another folder of data; it is nobody's but the caller's. */
  startOn(data: string): Promise<Node>
  /** Kills a server by SIGKILL. */
  kill(node: Node): Promise<void>
  /** Session of an administrator whose proof is fresh. */
  adminSession(): string
  /** Signs the administrator in again where the last time is long ago; needed before a load. */
  wakeAdmin(): Promise<void>
  close(): Promise<void>
}

export interface TownPlan {
  readonly folder: string
  /** A database of PostgreSQL; without one, a file of SQLite. */
  readonly databaseUrl?: string
  /** The same database by a way that does not fail, for what is read past the program. */
  readonly recordsUrl?: string
  readonly people: number
  /** How many more may be invited. */
  readonly newcomers?: number
  readonly random: Random
  /** Folder of the log, where it is not that of the town. */
  readonly logFolder?: string
  /** Settings over those of a town. */
  readonly env?: Readonly<Record<string, string>>
}

/** No limit is to be met by a whole town behind one loop, and a proof is fresh for as long as it can be. */
const settings = {
  WATCHWORD_LISTEN: '127.0.0.1:0',
  WATCHWORD_ORIGIN: 'https://auth.example.com',
  WATCHWORD_TRUSTED_PROXIES: '127.0.0.1',
  WATCHWORD_AUTHORIZER_LISTEN: 'off',
  WATCHWORD_SESSION_FRESH_FOR: '900',
  WATCHWORD_SESSION_LIMIT: '100',
  WATCHWORD_THROTTLE_NETWORK_LIMIT: '100000',
  WATCHWORD_THROTTLE_SITE_LIMIT: '1000000',
  WATCHWORD_THROTTLE_SERVER_LIMIT: '1000000',
}

/** The administrator signs in again after so many milliseconds; administration closes after fifteen minutes. */
const ADMIN_AWAKE_MS = 400_000

/** Founds a town; no server of it runs yet. */
export async function foundTown({
  folder,
  databaseUrl,
  recordsUrl = databaseUrl,
  people: many,
  newcomers = 0,
  random,
  logFolder = folder,
  env: more = {},
}: TownPlan): Promise<Town> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const database = databaseUrl === undefined ? {} : { WATCHWORD_DATABASE: databaseUrl }
  const env = { ...settings, ...database, WATCHWORD_DATA: join(folder, 'data'), ...more }
  const config = loadConfig({ cwd: folder, env })
  const { services, close } = await compose(config)
  const { people, admin } = await populate(services, { many, newcomers, random })
  await close()
  const records =
    config.database.kind === 'postgres'
      ? postgresRecords(recordsUrl ?? config.database.url)
      : sqliteRecords(config.database.path)
  const log = join(logFolder, 'log')
  const nodes: Node[] = []
  let spare: SpareNode | undefined

  const takeSpare = () => {
    const next = spare ?? spareNode(log)
    // The one after it loads while this one works.
    spare = spareNode(log)
    return next
  }
  const started = (hash: NodeOrders['hash']) => takeSpare().serve({ cwd: folder, env, hash, log })
  return {
    ...{ folder, log, env, people, nodes, records },
    node: (chance) => chance.pick(nodes),
    async start(how = 'least') {
      const node = how === 'launched' ? await launchNode({ cwd: folder, env, log }) : await started(how)
      nodes.push(node)
      return node
    },
    startOn: (data) =>
      takeSpare().serve({ cwd: folder, env: { ...env, WATCHWORD_DATA: data }, hash: 'least', log }),
    async kill(node) {
      await node.kill()
      nodes.splice(nodes.indexOf(node), 1)
    },
    adminSession: () => admin.world.sessions.at(-1)?.token ?? '',
    async wakeAdmin() {
      const since = admin.world.sessions.at(-1)?.since ?? 0
      if (Date.now() - since < ADMIN_AWAKE_MS) return
      const deed = signIn(admin)
      const done = deed && (await perform(admin, random.pick(nodes), deed))
      if (done?.kind !== 'done')
        throw new Error(`The administrator could not sign in: ${JSON.stringify(done)}`)
    },
    async close() {
      spare?.end()
      await Promise.all(nodes.map((node) => node.kill()))
      await records.close()
    },
  }
}
