import cluster, { type Worker } from 'node:cluster'
import type { MetricValues } from '../observe/metrics.ts'
import { type FromWorker, tellWorker } from './messages.ts'
import { metricsCollector } from './metrics-collector.ts'
import { socketMask } from './socket-mask.ts'

/** A worker ended before it answered; it said why itself. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed'
  readonly exitCode: number

  constructor(exitCode: number) {
    super('A worker could not start.')
    this.exitCode = exitCode
  }
}

export interface WorkersOptions {
  readonly count: number
  /** Whether the address is the path of a socket, which nobody may reach before it has its mode. */
  readonly hidesSocket: boolean
  /** A worker ended by itself; another is forked so many milliseconds later. */
  readonly ended: (worker: { readonly number: number; readonly code: number; readonly after: number }) => void
  /** The metrics of this process, and of everybody as one text. */
  readonly measure: () => Promise<MetricValues>
  readonly merge: (all: readonly MetricValues[]) => Promise<string>
}

export interface Workers {
  /** Where they answer. */
  readonly address: string
  /** Resolves with an exit code when none is left and none can be started. */
  readonly over: Promise<number>
  /** Lets all end, each when its open requests are answered; resolves when they have. */
  stop(): Promise<void>
}

/** The wait before a worker is replaced doubles with each end, up to the longest, in milliseconds. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000

/** A worker that has answered for so long ended for a reason of its own. */
const STEADY_MS = 60_000

/** How long workers may take to end; more than the open requests of one. */
const STOP_PATIENCE_MS = 20_000

/**
 * Forks the workers, one first and then the others, and replaces those that end.
 *
 * @throws WorkerFailed when one of the first cannot start.
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { count, hidesSocket, ended, measure, merge } = options
  const running = new Set<Worker>()
  const ready = new Set<Worker>()
  const over = Promise.withResolvers<number>()
  const metrics = metricsCollector()
  const mask = socketMask()
  let isStopping = false
  let ends = 0

  try {
    // By itself, so that what is wrong with the settings is said once.
    const address = await launch(1)
    await Promise.all(Array.from({ length: count - 1 }, (_, index) => launch(index + 2)))
    return { address, over: over.promise, stop }
  } catch (error) {
    await stop()
    throw error
  }

  /** Resolves with the address when it answers. */
  function launch(number: number): Promise<string> {
    const worker = mask.without(() => cluster.fork({ WORKER_NUMBER: String(number) }))
    running.add(worker)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        switch (message.kind) {
          case 'about-to-listen':
            if (hidesSocket) mask.put(worker)
            tellWorker(worker, { kind: 'listen' })
            return
          case 'ready':
            mask.lift(worker)
            ready.add(worker)
            setTimeout(() => {
              if (ready.has(worker)) ends = 0
            }, STEADY_MS).unref()
            resolve(message.address)
            return
          case 'metrics-wanted':
            void textOfAll().then((text) =>
              tellWorker(worker, { kind: 'metrics-of-all', id: message.id, text }),
            )
            return
          case 'metrics':
            metrics.take(worker, message.id, message.values)
            return
        }
      })
      worker.once('exit', (code: number | null) => {
        mask.lift(worker)
        running.delete(worker)
        metrics.forget(worker)
        const wasReady = ready.delete(worker)
        if (!wasReady) reject(new WorkerFailed(code || 1))
        else if (!isStopping) replace(number, code ?? 1)
      })
    })
  }

  function replace(number: number, code: number): void {
    const after = Math.min(FIRST_WAIT_MS * 2 ** ends++, LONGEST_WAIT_MS)
    ended({ number, code, after })
    setTimeout(() => {
      if (isStopping) return
      launch(number).catch((error: unknown) => {
        const exitCode = error instanceof WorkerFailed ? error.exitCode : 1
        if (isStopping) return
        if (ready.size === 0) over.resolve(exitCode)
        else replace(number, exitCode)
      })
    }, after)
  }

  async function textOfAll(): Promise<string> {
    return merge([await measure(), ...(await metrics.from(ready))])
  }

  async function stop(): Promise<void> {
    isStopping = true
    const all = [...running]
    const exits = all.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (const { process: child } of all) child.kill('SIGTERM')
    const deadline = setTimeout(() => {
      for (const { process: child } of all) child.kill('SIGKILL')
    }, STOP_PATIENCE_MS)
    await Promise.all(exits)
    clearTimeout(deadline)
  }
}
