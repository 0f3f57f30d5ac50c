import { beginSetup } from './actions/begin-setup.ts'
import { purgeExpired } from './actions/purge-expired.ts'
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
import { setupLink } from './domain/invitation.ts'
import { createApp } from './http/app.ts'
import { createEdge } from './http/create-edge.ts'
import { ListenError, startServer } from './http/server.ts'
import { createLog } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import type { Services } from './services.ts'

const PURGE_EVERY_MS = 10 * 60 * 1000

/** What Phusion Passenger puts into a process that it begins; `exit` tells that it has to end. */
interface Passenger {
  once(event: 'exit', listener: () => void): unknown
}

/** How long our predecessor may go on answering what is open before it lets go of its port, in milliseconds. */
const HANDOVER_MS = 15_000

/**
 * Runs the server until SIGTERM or SIGINT, or until Passenger ends it, answers the requests that are open, and resolves.
 *
 * Lines for people go to standard output, the log to standard error. Under Passenger both go to the log of Apache,
 * so no address that works once is printed there.
 */
export async function serve(config: Config): Promise<void> {
  const { PhusionPassenger: passenger } = globalThis as { readonly PhusionPassenger?: Passenger }
  if (passenger !== undefined && !config.origin.startsWith('https:')) {
    throw new ListenError(
      'Apache runs this behind TLS. Set origin to its address, such as "https://auth.example.com".',
    )
  }
  const log = createLog(config.logLevel)
  // libuv reads this when its pool is first used. A thread keeps the memory of its last hash, so there are no more than
  // hash at once; other work of the pool waits for two hashes at most, because only that many a thread are in it.
  process.env.UV_THREADPOOL_SIZE = String(config.password.hashThreads)
  await lowerHashThreads()
  const secret = readCallerSecret(config.authorizer.secretFile)
  const composed = await compose(config)
  const { services, close } = composed
  const metrics = createMetrics(() => services.hasher.load())
  const { listen, origin, login } = config
  const decide = createAuthorizer(services, { origin, hosts: new Set(login.returnOrigins), metrics })
  const edge = createEdge(services, config, {
    log,
    metrics,
    authorizer: { isCaller: callerProof(secret), decide },
  })
  const own = listen.kind === 'unix' ? { ...listen, mode: config.socketMode } : listen
  const at = passenger === undefined ? own : ({ kind: 'passenger' } as const)
  const signal = nextSignal(passenger)
  const server = await startServer(createApp(edge), at, edge.securityHeaders).catch(
    async (error: unknown) => {
      await close()
      throw error
    },
  )
  const patience = passenger === undefined ? 0 : HANDOVER_MS
  const authorizer = await startAuthorizer(composed, config, { secret, decide, log, patience }).catch(
    async (error: unknown) => {
      await server.stop()
      await close()
      throw error
    },
  )
  console.log(`Watchword is ready at ${server.address}`)
  if (passenger === undefined) await offerSetup(services, config)

  const purge = () =>
    purgeExpired(services).catch((error: unknown) => log.error({ err: error }, 'purge failed'))
  const timer = setInterval(purge, PURGE_EVERY_MS)
  log.info({ signal: await signal }, 'stopping')
  clearInterval(timer)
  await Promise.all([server.stop(), authorizer?.stop()])
  await close()
}

/** Prints where the first user is made, if there is none. */
async function offerSetup(services: Services, { origin }: Config): Promise<void> {
  const begun = await beginSetup(services)
  if (begun.kind !== 'begun') return
  console.log(`There is no user yet. To make the first one, open ${setupLink(origin, begun.setup.token)}`)
  console.log(
    'This address works once, within an hour. Another way: npx watchword createsuperuser --username NAME',
  )
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
  }: {
    readonly secret: string
    readonly decide: ReturnType<typeof createAuthorizer>
    readonly log: ReturnType<typeof createLog>
    /** How long the port may be another's, in milliseconds. */
    readonly patience: number
  },
): Promise<AuthorizerServer | undefined> {
  if (listen.kind === 'off') return undefined
  const leases = startLeases(decide, {
    ...services,
    directory: leaseDirectory,
    secret,
    listen: listenForRevocations,
    failed: (error) => log.error({ err: error }, 'leases failed'),
  })
  const options: AuthorizerServerOptions = {
    ...listen,
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

/**
 * The first signal to stop; one that comes more than a second later ends the process at once.
 *
 * npm passes Ctrl-C on to a child that the terminal has told already, so two at once are one.
 */
function nextSignal(passenger: Passenger | undefined): Promise<NodeJS.Signals | 'exit'> {
  return new Promise((resolve) => {
    passenger?.once('exit', () => resolve('exit'))
    const signals = ['SIGTERM', 'SIGINT'] as const
    const stop = (signal: NodeJS.Signals) => {
      resolve(signal)
      const letGo = () => {
        for (const each of signals) process.off(each, stop)
      }
      setTimeout(letGo, 1000).unref()
    }
    for (const each of signals) process.on(each, stop)
  })
}
