import { Connection } from './http.ts'

/** What came of some requests. */
export interface Outcome {
  /** Answers by status; 0 stands for connections that broke. */
  readonly statuses: ReadonlyMap<number, number>
  /** Milliseconds from sending to answer, of the answers that `counts` takes. */
  readonly times: readonly number[]
  readonly seconds: number
  /** Answers that count, per second. */
  readonly rate: number
}

interface Job {
  readonly bytes: Buffer
  /** Told the status, so that whoever made the request knows what became of it. */
  readonly done?: (status: number) => void
}

/** Where requests come from; `undefined` ends the load. */
export type Source = () => Job | undefined

/** When a round ends: after some requests or some time, whatever comes first. */
export interface Limit {
  readonly requests?: number
  readonly milliseconds?: number
}

/** Closed loop: each connection sends its next request when the last one was answered. */
export async function closedLoop(
  port: number,
  source: Source,
  {
    concurrency,
    requests = Number.POSITIVE_INFINITY,
    milliseconds = 60_000,
  }: Limit & { concurrency: number },
  counts: (status: number) => boolean = (status) => status === 200,
): Promise<Outcome> {
  const connections = await Promise.all(Array.from({ length: concurrency }, () => Connection.open(port)))
  const statuses = new Map<number, number>()
  const times: number[] = []
  const began = performance.now()
  const deadline = began + milliseconds
  let sent = 0
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = () => {
            const job = sent < requests && performance.now() < deadline ? source() : undefined
            if (job === undefined) return resolve()
            sent++
            const started = performance.now()
            connection.send(job.bytes, (status) => {
              if (counts(status)) times.push(performance.now() - started)
              statuses.set(status, (statuses.get(status) ?? 0) + 1)
              job.done?.(status)
              if (status === 0) resolve()
              else next()
            })
          }
          next()
        }),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  for (const connection of connections) connection.close()
  return { statuses, times, seconds, rate: times.length / seconds }
}

/** What came of a flood. */
export interface FloodOutcome {
  /** Requests that were due, and those of them that found no free connection for a whole second. */
  readonly offered: number
  readonly dropped: number
  /** Milliseconds from the instant a request was due to its answer, by status. */
  readonly times: ReadonlyMap<number, readonly number[]>
}

/**
 * Open loop: requests come at their own pace, answered or not, over a bounded number of connections.
 *
 * A request that finds no free connection waits for one, and its time runs.
 */
export async function openLoop(
  port: number,
  source: Source,
  { rate, connections, milliseconds }: { rate: number; connections: number; milliseconds: number },
): Promise<FloodOutcome> {
  const free = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  const all = [...free]
  const times = new Map<number, number[]>()
  const waiting: number[] = []
  let offered = 0
  let dropped = 0
  let underWay = 0
  const began = performance.now()

  const pump = () => {
    while (free.length > 0 && waiting.length > 0) {
      const due = waiting.shift() ?? 0
      if (performance.now() - due > 1000) {
        dropped++
        continue
      }
      const job = source()
      const connection = free.pop()
      if (job === undefined || connection === undefined) return
      underWay++
      connection.send(job.bytes, (status) => {
        underWay--
        const list = times.get(status) ?? []
        times.set(status, list)
        list.push(performance.now() - due)
        job.done?.(status)
        if (status !== 0) free.push(connection)
        pump()
      })
    }
  }
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - began
      if (elapsed >= milliseconds) {
        clearInterval(timer)
        resolve()
        return
      }
      for (; offered < (elapsed / 1000) * rate; offered++) waiting.push(began + (offered * 1000) / rate)
      pump()
    }, 1)
  })
  dropped += waiting.length
  waiting.length = 0
  const patience = performance.now() + 10_000
  while (underWay > 0 && performance.now() < patience) await new Promise((resolve) => setTimeout(resolve, 5))
  for (const connection of all) connection.close()
  return { offered, dropped, times }
}
