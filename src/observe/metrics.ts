import {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'

/** What Prometheus can ask for. */
export interface Metrics {
  /** One request was answered. */
  request(route: string, method: string, status: number, seconds: number): void
  /** Somebody tried to sign in, by whichever way, with this outcome. */
  signIn(outcome: string): void
  /** A program showed an app password, or what should have been one, with this outcome. */
  appPassword(outcome: string): void
  /** A program showed a password and code in one field, or what should have been one, with this outcome. */
  passwordCode(outcome: string): void
  /** The text of `/metrics`. */
  text(): Promise<string>
  /** What this process has counted, to be put together with that of others. */
  values(): Promise<MetricValues>
  readonly contentType: string
}

/** All metrics of one process, as they go from one to another. */
export type MetricValues = MetricObjectWithValues<MetricValue<string>>[]

/** Metrics of several processes as one text; each value keeps the number of its worker. */
export const mergeMetrics = (all: readonly MetricValues[]): Promise<string> =>
  AggregatorRegistry.aggregate([...all]).metrics()

/**
 * Metrics of one server; `queue` tells how the password queue stands when it is asked.
 *
 * @param worker the number of this process among several, which every value then carries.
 */
export function createMetrics(
  queue: () => { readonly running: number; readonly waiting: number },
  worker?: number,
): Metrics {
  const registry = new Registry()
  if (worker !== undefined) registry.setDefaultLabels({ worker: String(worker) })
  const registers = [registry]
  gaugesOfProcess(registers)
  const requests = new Counter({
    name: 'watchword_http_requests_total',
    help: 'Requests answered, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'watchword_http_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const signIns = new Counter({
    name: 'watchword_sign_ins_total',
    help: 'Attempts to sign in, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const appPasswords = new Counter({
    name: 'watchword_app_passwords_total',
    help: 'App passwords that programs showed, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const passwordCodes = new Counter({
    name: 'watchword_password_codes_total',
    help: 'Passwords with a code in one field that programs showed, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  new Gauge({
    name: 'watchword_password_hashes',
    help: 'Password hashes being computed and waiting.',
    labelNames: ['state'],
    registers,
    collect() {
      const { running, waiting } = queue()
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })

  // A child for each combination: finding it by its labels each time costs more than counting.
  const counters = new Map<string, Counter.Internal>()
  const timers = new Map<string, Histogram.Internal<'route'>>()
  return {
    request(route, method, status, seconds) {
      const name = `${status} ${method} ${route}`
      let counter = counters.get(name)
      if (counter === undefined) {
        counter = requests.labels(route, method, String(status))
        counters.set(name, counter)
      }
      counter.inc()
      let timer = timers.get(route)
      if (timer === undefined) {
        timer = durations.labels(route)
        timers.set(route, timer)
      }
      timer.observe(seconds)
    },
    signIn: (outcome) => signIns.inc({ outcome }),
    appPassword: (outcome) => appPasswords.inc({ outcome }),
    passwordCode: (outcome) => passwordCodes.inc({ outcome }),
    text: () => registry.metrics(),
    values: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  }
}

/**
 * Processor time and memory, read when somebody asks.
 *
 * The library's own set also watches every collection of garbage and every turn of the loop, which cost an eighth
 * of a session check.
 */
function gaugesOfProcess(registers: Registry[]): void {
  new Gauge({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.set((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
}
