import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type AuthorizerServer,
  SERVED_MAXIMUM,
  startAuthorizerServer,
} from '../../src/apache/fastcgi/server.ts'
import { type AskOptions, ask, request, SECRET } from '../support/fastcgi-client.ts'
import { begin, chance, pairs, params, record } from '../support/fastcgi-streams.ts'

/** Connections of every kind; 500,000 for the soak (FT-FUZZ-2). */
const SIZE = Number(process.env.WW_FUZZ_CONNECTIONS ?? 5000)

/** Clients at once, somewhat more than the server serves at once. */
const CLIENTS = 80

const good = request('ww=good')
const cookie = pairs([
  ['WW_SECRET', SECRET],
  ['HTTP_COOKIE', 'ww=good'],
])

type Draw = (below: number) => number

/** What a connection sends, and the statuses that may come back; `undefined` for none. */
interface Attempt {
  readonly chunks: readonly Buffer[]
  readonly allowed: readonly (number | undefined)[]
  readonly options?: AskOptions
}

const attempts: Readonly<Record<string, (draw: Draw) => Attempt>> = {
  'a good request': () => ({ chunks: [good], allowed: [200] }),
  'keep the connection': () => ({ chunks: [request('ww=good', SECRET, 9, 1)], allowed: [200] }),
  'no session': () => ({ chunks: [request('ww=bad')], allowed: [401] }),
  'no secret': (draw) => ({ chunks: [request('ww=good', `${SECRET}${draw(10)}`)], allowed: [403] }),
  'single bytes': () => ({ chunks: Array.from(good, (byte) => Buffer.of(byte)), allowed: [200] }),
  'unknown type before': (draw) => ({ chunks: [record(12 + draw(244), 0, 'x'), good], allowed: [200] }),
  'unknown type within': (draw) => ({
    chunks: [begin(), record(9 + draw(247), 1, 'x'), params(1, cookie)],
    allowed: [undefined],
  }),
  'another id': (draw) => ({ chunks: [begin(), params(2 + draw(65_534), cookie)], allowed: [undefined] }),
  'two requests, interleaved': () => ({
    chunks: [begin(1), begin(2), params(1, cookie), params(2, cookie)],
    allowed: [undefined],
  }),
  'another role': (draw) => ({
    chunks: [begin(1, { role: 3 + draw(65_000) }), params(1, cookie)],
    allowed: [undefined],
  }),
  'an abort': () => ({ chunks: [begin(), record(2, 1), params(1, cookie)], allowed: [503] }),
  'half of it, and the end': (draw) => ({
    chunks: [good.subarray(0, draw(good.length))],
    allowed: [undefined],
    options: { end: true },
  }),
  'half of it, and a reset': (draw) => ({
    chunks: [good.subarray(0, draw(good.length))],
    allowed: [undefined],
    options: { reset: true },
  }),
  'all of it, and the end': () => ({ chunks: [good], allowed: [200], options: { end: true } }),
  'all of it, and a reset': () => ({ chunks: [good], allowed: [undefined, 200], options: { reset: true } }),
  'half of it, and silence': (draw) => ({
    chunks:
      draw(4) === 0 ? [good.subarray(0, draw(good.length))] : [begin(), record(4, 1, '', { length: 9 })],
    allowed: [undefined],
  }),
  'parameters without end': (draw) => ({
    chunks: [
      begin(),
      ...Array.from({ length: draw(20) === 0 ? 40 : 2 }, () => record(4, 1, Buffer.alloc(65_000))),
    ],
    allowed: [undefined],
  }),
  'other bytes': (draw) => ({
    chunks: [Buffer.from(Array.from({ length: 8 + draw(40) }, (_, i) => (i === 0 ? draw(2) : draw(256))))],
    allowed: [undefined],
  }),
}

describe('connections of every kind, in turn and at once (FT-FUZZ-2)', () => {
  let server: AuthorizerServer
  let calls = 0
  const failures: unknown[] = []

  before(async () => {
    server = await startAuthorizerServer({
      ...{ host: '127.0.0.1', port: 0, secret: SECRET },
      handle: async (asked) => {
        calls++
        return asked.cookie === 'ww=good'
          ? { kind: 'allow', user: 'bob' }
          : { kind: 'deny', status: 401, body: 'page' }
      },
      times: { idleMs: 100, readMs: 1000 },
      watch: { failed: (error) => failures.push(error) },
    })
  })
  after(() => server.stop())

  it('get what each may get, never an allow that was not decided, and leave nothing behind', async (t) => {
    const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)
    const draw = chance(seed)
    const kinds = Object.entries(attempts)
    const count = new Map<string, number>()
    const timersBefore = timers()
    let started = 0

    async function client(): Promise<void> {
      while (started < SIZE) {
        // Each kind as often as the others, but those that wait, or send megabytes, more rarely.
        const [name, make] = kinds[started++ % kinds.length] ?? ['', attempts['a good request']]
        if (make === undefined || (/silence|without end/.test(name) && draw(3) > 0)) continue
        const { chunks, allowed, options } = make(draw)
        const { status } = await ask(server.address, chunks, options)
        assert.ok(allowed.includes(status), `seed ${seed}, ${name}: ${status}`)
        count.set(name, (count.get(name) ?? 0) + 1)
      }
    }
    const begun = performance.now()
    await Promise.all(Array.from({ length: CLIENTS }, client))
    const done = [...count.values()].reduce((sum, each) => sum + each, 0)
    t.diagnostic(
      `seed ${seed}: ${done} connections of ${count.size} kinds in ${Math.round(performance.now() - begun)} ms`,
    )
    assert.equal(count.size, kinds.length)
    assert.ok(done > SIZE * 0.9)
    assert.deepEqual(failures, [])
    await closed()
    assert.ok(timers() <= timersBefore + 1, `${timersBefore} timers, then ${timers()}`)
    assert.equal((await ask(server.address, [good])).status, 200)
  })

  it('are all answered or closed, 2,000 at once, and the next is served', async (t) => {
    const callsBefore = calls
    const answers = await Promise.all(Array.from({ length: 2000 }, () => ask(server.address, [good])))
    const served = answers.filter(({ status }) => status === 200).length
    const slowest = Math.max(...answers.map(({ milliseconds }) => milliseconds))
    t.diagnostic(
      `${served} of 2000 served, ${calls - callsBefore} decided, slowest ${Math.round(slowest)} ms`,
    )
    assert.ok(answers.every(({ status }) => status === 200 || status === undefined))
    assert.ok(served >= SERVED_MAXIMUM)
    assert.equal((await ask(server.address, [good])).status, 200)
    await closed()
  })
})

/** Resolves when no connection is left; what was read to its end may be closed a moment later. */
async function closed(): Promise<void> {
  const deadline = performance.now() + 60_000
  while (sockets() > 0) {
    assert.ok(performance.now() < deadline, `${sockets()} connections are open`)
    await delay(10)
  }
}

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
