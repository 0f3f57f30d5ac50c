import type { Worker } from 'node:cluster'
import type { MetricValues } from '../observe/metrics.ts'
import { tellWorker } from './messages.ts'

/** How long a worker may take to measure itself. */
const MEASURE_MS = 2000

/** Asks workers for their metrics, each time under a number of its own; who does not answer in time is missing. */
export function metricsCollector() {
  const rounds = new Map<
    number,
    { readonly missing: Set<Worker>; readonly values: MetricValues[]; done(): void }
  >()
  let last = 0
  return {
    async from(workers: Iterable<Worker>): Promise<readonly MetricValues[]> {
      const id = ++last
      const { promise, resolve } = Promise.withResolvers<void>()
      const round = { missing: new Set(workers), values: [], done: resolve }
      rounds.set(id, round)
      for (const worker of round.missing) tellWorker(worker, { kind: 'measure', id })
      const deadline = setTimeout(resolve, MEASURE_MS)
      if (round.missing.size > 0) await promise
      clearTimeout(deadline)
      rounds.delete(id)
      return round.values
    },
    take(worker: Worker, id: number, values: MetricValues): void {
      const round = rounds.get(id)
      if (round?.missing.delete(worker) !== true) return
      round.values.push(values)
      if (round.missing.size === 0) round.done()
    },
    forget(worker: Worker): void {
      for (const { missing, done } of rounds.values())
        if (missing.delete(worker) && missing.size === 0) done()
    },
  }
}
