import cluster from 'node:cluster'
import type { MetricValues } from '../observe/metrics.ts'
import { type ToWorker, tellPrimary } from './messages.ts'

/** How a worker reaches the process that forked it. */
export interface Primary {
  /** Resolves when an address may be opened. */
  mayListen(): Promise<void>
  ready(address: string): void
  /** The metrics of all workers, as one text. */
  metricsOfAll(): Promise<string>
  /** Lets go of the primary, so that this process ends when its work has. */
  leave(): void
}

/** The number of this worker, from 1; `undefined` where this process was not forked. */
export function workerNumber(): number | undefined {
  return cluster.isWorker ? Number(process.env.WORKER_NUMBER) : undefined
}

/** Meets the primary; `measure` gives the metrics of this worker alone. */
export function meetPrimary(measure: () => Promise<MetricValues>): Primary {
  const mayListen = Promise.withResolvers<void>()
  const wanted = new Map<number, (text: string) => void>()
  let asked = 0
  process.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'listen':
        mayListen.resolve()
        return
      case 'measure':
        void measure().then((values) => tellPrimary({ kind: 'metrics', id: message.id, values }))
        return
      case 'metrics-of-all':
        wanted.get(message.id)?.(message.text)
        wanted.delete(message.id)
        return
    }
  })
  return {
    mayListen() {
      tellPrimary({ kind: 'about-to-listen' })
      return mayListen.promise
    },
    ready: (address) => tellPrimary({ kind: 'ready', address }),
    metricsOfAll: () =>
      new Promise((resolve) => {
        wanted.set(++asked, resolve)
        tellPrimary({ kind: 'metrics-wanted', id: asked })
      }),
    leave: () => void cluster.worker?.disconnect(),
  }
}
