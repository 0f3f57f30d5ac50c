import type { Worker } from 'node:cluster'
import type { MetricValues } from '../observe/metrics.ts'

/** What a worker tells the primary. */
export type FromWorker =
  /** The primary will open an address for it next. */
  | { readonly kind: 'about-to-listen' }
  /** It answers, at this address. */
  | { readonly kind: 'ready'; readonly address: string }
  /** Somebody asked it for the metrics of all. */
  | { readonly kind: 'metrics-wanted'; readonly id: number }
  /** Its own metrics, as they were asked for under this number. */
  | { readonly kind: 'metrics'; readonly id: number; readonly values: MetricValues }

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'listen' }
  | { readonly kind: 'measure'; readonly id: number }
  | { readonly kind: 'metrics-of-all'; readonly id: number; readonly text: string }

/** Tells a worker; one that has just ended has nothing to be told. */
export function tellWorker(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message)
}

/** Tells the primary; one that is gone takes its workers along. */
export function tellPrimary(message: FromWorker): void {
  process.send?.(message)
}
