import { type Answering, startAnswering } from './answering.ts'
import { checkFree } from './apache/fastcgi/server.ts'
import { type LeaseFolder, openLeaseFolder } from './apache/leases/folder.ts'
import { compose } from './compose.ts'
import type { Config } from './config/load.ts'
import { readCallerSecret } from './crypto/caller-secret.ts'
import { removeStaleSocket } from './http/server.ts'
import { createLog } from './observe/log.ts'
import { createMetrics, mergeMetrics } from './observe/metrics.ts'
import { startPurging } from './purging.ts'
import { offerSetup } from './setup-offer.ts'
import { startWorkers, WorkerFailed } from './workers/primary.ts'
import { meetPrimary, workerNumber } from './workers/worker.ts'

/** Runs several processes that answer, or is one of them; resolves with the exit code when `signal` has come and all is over. */
export function serveMany(config: Config, signal: Promise<string>): Promise<number> {
  const number = workerNumber()
  return number === undefined ? servePrimary(config, signal) : serveWorker(config, { number, signal })
}

/** The process that forks the others: it migrates, purges and offers the setup, and answers nobody itself. */
async function servePrimary(config: Config, signal: Promise<string>): Promise<number> {
  const log = createLog(config.logLevel, undefined, 0)
  const { listen, authorizer, workers: count } = config
  readCallerSecret(authorizer.secretFile)
  const { services, close } = await compose(config)
  let leases: LeaseFolder | undefined
  try {
    if (listen.kind === 'unix') await removeStaleSocket(listen.path)
    if (authorizer.listen.kind === 'tcp') await checkFree(authorizer.listen)
    if (authorizer.listen.kind === 'tcp' && authorizer.leaseDirectory !== undefined)
      leases = openLeaseFolder(authorizer.leaseDirectory, services.newId)
    const metrics = createMetrics(() => ({ running: 0, waiting: 0 }), 0)
    const workers = await startWorkers({
      count,
      hidesSocket: listen.kind === 'unix',
      measure: metrics.values,
      merge: mergeMetrics,
      ended(worker) {
        log.error(worker, 'worker ended')
        try {
          // Nobody else would take away what it had leased.
          leases?.clear()
        } catch (error) {
          log.error({ err: error }, 'leases failed')
        }
      },
    })
    console.log(`Watchword is ready at ${workers.address}`)
    await offerSetup(services, config)
    const stopPurging = startPurging(services, log)
    const end = await Promise.race([signal, workers.over])
    log.info(typeof end === 'number' ? { exitCode: end } : { signal: end }, 'stopping')
    stopPurging()
    await workers.stop()
    return typeof end === 'number' ? end : 0
  } catch (error) {
    // It has said itself why.
    if (error instanceof WorkerFailed) return error.exitCode
    throw error
  } finally {
    // Also of a worker that answered already and ended before it could say so.
    leases?.clear()
    await close()
  }
}

/** One of those that answer: the server as it is alone, with its share of what is bounded for all. */
async function serveWorker(
  config: Config,
  { number, signal }: { readonly number: number; readonly signal: Promise<string> },
): Promise<number> {
  let answering: Answering | undefined
  const primary = meetPrimary(async () => (await answering?.metrics.values()) ?? [])
  const log = createLog(config.logLevel, undefined, number)
  try {
    answering = await startAnswering(shareOf(config), {
      log,
      among: { workers: config.workers, mayListen: primary.mayListen },
      metricsOf: ({ hasher }) => ({
        ...createMetrics(() => hasher.load(), number),
        text: primary.metricsOfAll,
      }),
    })
    primary.ready(answering.address)
    log.info({ signal: await signal }, 'stopping')
    await answering.stop()
    return 0
  } finally {
    primary.leave()
  }
}

/** Threads that hash, and places to wait for one, are bounded for the machine; each worker has one of them at least. */
function shareOf(config: Config): Config {
  const { hashThreads, hashQueue } = config.password
  const password = {
    ...config.password,
    hashThreads: Math.max(1, Math.floor(hashThreads / config.workers)),
    hashQueue: Math.max(1, Math.ceil(hashQueue / config.workers)),
  }
  return { ...config, password }
}
