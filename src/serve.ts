import { beginSetup } from './actions/begin-setup.ts'
import { purgeExpired } from './actions/purge-expired.ts'
import { type AuthorizerServer, startAuthorizerServer } from './apache/fastcgi/server.ts'
import { createAuthorizer } from './authorizer/authorizer.ts'
import { compose } from './compose.ts'
import type { Config } from './config/load.ts'
import { readCallerSecret } from './crypto/caller-secret.ts'
import { lowerHashThreads } from './crypto/hash-threads.ts'
import { setupLink } from './domain/invitation.ts'
import { createApp } from './http/app.ts'
import { createEdge } from './http/create-edge.ts'
import { startServer } from './http/server.ts'
import { createLog } from './observe/log.ts'
import { createMetrics, type Metrics } from './observe/metrics.ts'
import type { Services } from './services.ts'

const PURGE_EVERY_MS = 10 * 60 * 1000

/**
 * Runs the server until SIGTERM or SIGINT, answers the requests that are open, and resolves.
 *
 * Lines for people go to standard output, the log to standard error.
 */
export async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel)
  // libuv reads this when its pool is first used. A thread keeps the memory of its last hash, so there are no more than
  // hash at once; other work of the pool waits for two hashes at most, because only that many a thread are in it.
  process.env.UV_THREADPOOL_SIZE = String(config.password.hashThreads)
  await lowerHashThreads()
  const { services, close } = await compose(config)
  const metrics = createMetrics(() => services.hasher.load())
  const edge = createEdge(services, config, { log, metrics })
  const { listen } = config
  const at = listen.kind === 'unix' ? { ...listen, mode: config.socketMode } : listen
  const signal = nextSignal()
  const server = await startServer(createApp(edge), at, edge.securityHeaders).catch(
    async (error: unknown) => {
      await close()
      throw error
    },
  )
  const authorizer = await startAuthorizer(services, config, { log, metrics }).catch(
    async (error: unknown) => {
      await server.stop()
      await close()
      throw error
    },
  )
  console.log(`Watchword is ready at ${server.address}`)
  const begun = await beginSetup(services)
  if (begun.kind === 'begun') {
    console.log(
      `There is no user yet. To make the first one, open ${setupLink(config.origin, begun.setup.token)}`,
    )
    console.log(
      'This address works once, within an hour. Another way: npx watchword createsuperuser --username NAME',
    )
  }

  const purge = () =>
    purgeExpired(services).catch((error: unknown) => log.error({ err: error }, 'purge failed'))
  const timer = setInterval(purge, PURGE_EVERY_MS)
  log.info({ signal: await signal }, 'stopping')
  clearInterval(timer)
  await Promise.all([server.stop(), authorizer?.stop()])
  await close()
}

/** Starts to answer Apache about protected places, unless the settings say that none are protected. */
async function startAuthorizer(
  services: Services,
  { authorizer, origin, login }: Config,
  { log, metrics }: { readonly log: ReturnType<typeof createLog>; readonly metrics: Metrics },
): Promise<AuthorizerServer | undefined> {
  const { listen, secretFile } = authorizer
  if (listen.kind === 'off') return undefined
  const server = await startAuthorizerServer({
    ...listen,
    secret: readCallerSecret(secretFile),
    handle: createAuthorizer(services, { origin, hosts: new Set(login.returnOrigins), metrics }),
    watch: {
      refused: (why) => log.debug({ why }, 'authorizer refused'),
      failed: (error) => log.error({ err: error }, 'authorizer failed'),
    },
  })
  log.info({ address: server.address }, 'authorizer ready')
  return server
}

/**
 * The first signal to stop; one that comes more than a second later ends the process at once.
 *
 * npm passes Ctrl-C on to a child that the terminal has told already, so two at once are one.
 */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
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
