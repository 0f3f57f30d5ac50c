import {
  AuthorizerListenError,
  type AuthorizerServer,
  type AuthorizerServerOptions,
  startAuthorizerServer,
} from './apache/fastcgi/server.ts'
import { startLeases } from './apache/leases/start.ts'
import { createAuthorizer } from './authorizer/authorizer.ts'
import { type Composed, compose } from './compose.ts'
import type { Config } from './config/load.ts'
import { readCallerSecret } from './crypto/caller-secret.ts'
import { lowerHashThreads } from './crypto/hash-threads.ts'
import { callerProof } from './domain/caller-proof.ts'
import { createApp } from './http/app.ts'
import { createEdge } from './http/create-edge.ts'
import { startServer } from './http/server.ts'
import type { createLog } from './observe/log.ts'
import type { Metrics } from './observe/metrics.ts'
import type { Services } from './services.ts'

/** How long our predecessor may go on answering what is open before it lets go of its port, in milliseconds. */
const HANDOVER_MS = 15_000

/** What differs between a process that answers alone, one that Passenger began, and one of several. */
export interface AnsweringOptions {
  readonly log: ReturnType<typeof createLog>
  readonly metricsOf: (services: Services) => Metrics
  /** Whether Passenger chooses the socket. */
  readonly isUnderPassenger?: boolean
  /** Of several processes on the same addresses: how many, and what has to happen before this one opens them. */
  readonly among?: { readonly workers: number; readonly mayListen: () => Promise<void> }
}

/** A process that answers. */
export interface Answering {
  readonly services: Services
  readonly metrics: Metrics
  /** Where browsers and proxies are answered: a URL or a path. */
  readonly address: string
  /** Answers what is open, then closes everything. */
  stop(): Promise<void>
}

/** Composes everything and opens the addresses of the settings; what fails is closed again. */
export async function startAnswering(config: Config, options: AnsweringOptions): Promise<Answering> {
  const { log, metricsOf, isUnderPassenger = false, among } = options
  // libuv reads this when its pool is first used. A thread keeps the memory of its last hash, so there are no more than
  // hash at once; other work of the pool waits for two hashes at most, because only that many a thread are in it.
  process.env.UV_THREADPOOL_SIZE = String(config.password.hashThreads)
  await lowerHashThreads()
  const secret = readCallerSecret(config.authorizer.secretFile)
  const composed = await compose(config)
  const { services, close } = composed
  const metrics = metricsOf(services)
  const { origin, login } = config
  const decide = createAuthorizer(services, { origin, hosts: new Set(login.returnOrigins), metrics })
  const edge = createEdge(services, config, {
    log,
    metrics,
    authorizer: { isCaller: callerProof(secret), decide },
  })
  await among?.mayListen()
  const at = isUnderPassenger ? ({ kind: 'passenger' } as const) : addressOf(config, among !== undefined)
  const server = await startServer(createApp(edge), at, edge.securityHeaders).catch(
    async (error: unknown) => {
      await close()
      throw error
    },
  )
  const patience = isUnderPassenger ? HANDOVER_MS : 0
  const sharers = among?.workers ?? 1
  const authorizer = await startAuthorizer(composed, config, {
    secret,
    decide,
    log,
    patience,
    sharers,
  }).catch(async (error: unknown) => {
    await server.stop()
    await close()
    throw error
  })
  return {
    services,
    metrics,
    address: server.address,
    async stop() {
      await Promise.all([server.stop(), authorizer?.stop()])
      await close()
    },
  }
}

function addressOf({ listen, socketMode }: Config, openedElsewhere: boolean) {
  if (listen.kind === 'tcp') return listen
  return { ...listen, mode: socketMode, ...(openedElsewhere && { openedElsewhere }) }
}

/** Starts to answer Apache about protected places, unless the settings say that it does not ask. */
async function startAuthorizer(
  { services, listenForRevocations }: Composed,
  { authorizer: { listen, leaseDirectory } }: Config,
  {
    secret,
    decide,
    log,
    patience,
    sharers,
  }: {
    readonly secret: string
    readonly decide: ReturnType<typeof createAuthorizer>
    readonly log: ReturnType<typeof createLog>
    /** How long the port may be another's, in milliseconds. */
    readonly patience: number
    /** How many processes answer there. */
    readonly sharers: number
  },
): Promise<AuthorizerServer | undefined> {
  if (listen.kind === 'off') return undefined
  const leases = startLeases(decide, {
    ...services,
    directory: leaseDirectory,
    sharers,
    secret,
    listen: listenForRevocations,
    failed: (error) => log.error({ err: error }, 'leases failed'),
  })
  const options: AuthorizerServerOptions = {
    ...listen,
    isShared: sharers > 1,
    secret,
    handle: leases.handle,
    watch: {
      refused: (why) => log.debug({ why }, 'authorizer refused'),
      failed: (error) => log.error({ err: error }, 'authorizer failed'),
    },
  }
  const server = await whenFree(() => startAuthorizerServer(options), patience).catch(
    async (error: unknown) => {
      await leases.stop()
      throw error
    },
  )
  log.info({ address: server.address, leases: leaseDirectory !== undefined }, 'authorizer ready')
  return {
    ...server,
    async stop() {
      await server.stop()
      await leases.stop()
    },
  }
}

/** Tries again while the address is taken, for so many milliseconds. */
async function whenFree<T>(start: () => Promise<T>, patience: number): Promise<T> {
  for (let left = patience; ; left -= 50) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof AuthorizerListenError) || left <= 0) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
