import { startAnswering } from './answering.ts'
import type { Config } from './config/load.ts'
import { ListenError } from './http/server.ts'
import { createLog } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { startPurging } from './purging.ts'
import { offerSetup } from './setup-offer.ts'

/** What Phusion Passenger puts into a process that it begins; `exit` tells that it has to end. */
interface Passenger {
  once(event: 'exit', listener: () => void): unknown
}

/**
 * Runs the server until SIGTERM or SIGINT, or until Passenger ends it, answers the requests that are open, and resolves
 * with the exit code.
 *
 * Lines for people go to standard output, the log to standard error. Under Passenger both go to the log of Apache,
 * so no address that works once is printed there.
 */
export async function serve(config: Config): Promise<number> {
  const { PhusionPassenger: passenger } = globalThis as { readonly PhusionPassenger?: Passenger }
  if (passenger === undefined && config.workers > 1) {
    // Loaded only here: most have one process, and Passenger fails where the module that forks is loaded at all.
    const { serveMany } = await import('./serve-many.ts')
    return serveMany(config, nextSignal(undefined))
  }
  if (passenger !== undefined && !config.origin.startsWith('https:')) {
    throw new ListenError(
      'Apache runs this behind TLS. Set origin to its address, such as "https://auth.example.com".',
    )
  }
  const log = createLog(config.logLevel)
  const signal = nextSignal(passenger)
  const answering = await startAnswering(config, {
    log,
    metricsOf: ({ hasher }) => createMetrics(() => hasher.load()),
    isUnderPassenger: passenger !== undefined,
  })
  const { services, address, stop } = answering
  console.log(`Watchword is ready at ${address}`)
  if (passenger === undefined) await offerSetup(services, config)
  const stopPurging = startPurging(services, log)
  log.info({ signal: await signal }, 'stopping')
  stopPurging()
  await stop()
  return 0
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
