import { join } from 'node:path'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { startServer } from '../../src/http/server.ts'
import { SESSION } from '../../test/http/journeys.ts'
import { startApache } from '../../test/support/apache.ts'
import { type RawAddress, RawClient } from '../../test/support/raw-client.ts'
import { startWorld, type World } from '../../test/world.ts'
import { until } from '../support/bounded.ts'
import { knownStreams, mutatedStream } from '../support/hostile-streams.ts'
import { newText } from '../support/new-text.ts'
import type { Random } from '../support/random.ts'
import { answersTo, readAnswers } from '../support/raw-streams.ts'
import type { Stage, Trial } from '../support/trial.ts'

const STREAMS = 100
const HOST = 'auth.example.com'
const [ATTACKER, VICTIM] = ['marker.attacker', 'marker.victim']
const plenty = { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 }

/** Bytes that two readers may take for other requests than they are. */
export const smuggling: Trial = {
  id: 'FT-SMUG-1',
  name: 'smuggling',
  holds:
    'However requests are framed, the server sees none that Apache did not pass on, and nobody is answered with what is another person’s.',
  rounds: `batches of ${STREAMS} streams`,
  sizes: { ci: 100, soak: 10_000, release: 10_000 },
  needs: [
    ...['streams to the server', 'streams through Apache', 'answers to them'],
    ...['requests passed on', 'answers to others meanwhile'],
  ],
  patience: 300,
  async begin(stage) {
    const here = await startHere(stage)
    return {
      round: (number, random) => oneRound(here, number, random),
      end: async () => {
        await here.close()
        return undefined
      },
    }
  },
}

interface Here {
  readonly direct: RawAddress
  readonly proxied: RawAddress
  readonly victim: string
  readonly known: readonly string[]
  /** How many requests came from Apache, and how many of them are of the kind that is hidden in others. */
  arrived(): Requests
  /** The same as Apache has written down. */
  logged(): Requests
  close(): Promise<void>
}

interface Requests {
  readonly all: number
  readonly hidden: number
}

async function startHere({ folder }: Stage): Promise<Here> {
  const world = await startWorld({ config: { throttle: plenty } })
  const socket = join(folder, 'own.sock')
  let [all, hidden] = [0, 0]
  // The application as it is, counted where Apache's connections end.
  const counted = {
    fetch(...given: Parameters<World['app']['fetch']>) {
      all++
      if (given[0].url.includes('/smuggled')) hidden++
      return world.app.fetch(...given)
    },
  } as World['app']
  const { securityHeaders } = world.edge
  const direct = await startServer(world.app, { kind: 'tcp', host: '127.0.0.1', port: 0 }, securityHeaders)
  const behind = await startServer(counted, { kind: 'unix', path: socket, mode: 0o666 }, securityHeaders)
  const apache = await startApache({
    vhost: (site) => vhostConfiguration({ ...site, backend: { kind: 'unix', path: socket } }),
  })
  const more = newText(join(apache.folder, 'access.log'))
  const logged = { all: 0, hidden: 0 }
  let begunLine = ''
  const cookieOf = async (username: string) =>
    `${SESSION}=${(await world.enrolled(username)).browser.cookies.get(SESSION)}`
  const victim = await cookieOf(VICTIM)
  return {
    direct: { port: Number(new URL(direct.address).port) },
    proxied: { port: apache.httpsPort, serverName: HOST },
    victim,
    known: knownStreams({ host: HOST, cookie: await cookieOf(ATTACKER) }),
    arrived: () => ({ all, hidden }),
    logged() {
      const lines = (begunLine + more()).split('\n')
      begunLine = lines.pop() ?? ''
      logged.all += lines.length
      logged.hidden += lines.filter((line) => line.includes('/smuggled')).length
      return logged
    },
    async close() {
      await apache.stop()
      await Promise.all([direct.stop(), behind.stop()])
      await world.close()
    },
  }
}

async function oneRound(here: Here, number: number, random: Random) {
  const { known } = here
  const violations: string[] = []
  const counts: Record<string, number> = {}
  const count = (kind: string, times = 1) => {
    counts[kind] = (counts[kind] ?? 0) + times
  }
  const before = here.arrived()
  const others = new RawClient(here.proxied)
  for (let index = 0; index < STREAMS; index++) {
    const at = number * STREAMS + index
    // Those made by hand come first, each on both ways.
    const stream = known[at >> 1] ?? mutatedStream(known, random)
    const isProxied = at % 2 === 0
    const wrong = (what: string) =>
      violations.push(`stream ${index} ${isProxied ? 'through Apache' : 'to the server'}: ${what}`)
    count(isProxied ? 'streams through Apache' : 'streams to the server')
    const sending = answersTo(isProxied ? here.proxied : here.direct, stream)
    if (isProxied) {
      // On the connection that the stream went over to us, while it does and after.
      if (random.below(2) === 0) await sending.catch(() => undefined)
      const { status, body } = await askAsVictim(others, here.victim)
      count(status === 200 ? 'answers to others meanwhile' : 'of these a passing failure')
      if (body.includes(ATTACKER) || (status === 200 && !body.includes(VICTIM)))
        wrong('another person got what is not theirs')
      if (status !== 200 && status !== 502 && status !== 503) wrong(`another person got ${status}`)
    }
    const got = await sending
    if (got.includes(VICTIM)) wrong('it was answered with what is another person’s')
    const answers = readAnswers(got)
    if (answers.kind === 'garbled')
      wrong(`what came is no answer: ${JSON.stringify(answers.at.slice(0, 80))}`)
    else count('answers to them', answers.statuses.length)
    const most = (stream.match(/HTTP\/|\n/g) ?? []).length + 1
    if (answers.kind === 'answers' && answers.statuses.length > most)
      wrong(`${answers.statuses.length} answers to ${most} requests at most`)
    // Of its own accord Apache says 500 to what it does not pass on.
    if (got.includes('"internal_error"')) wrong('the server failed')
  }
  others.close()
  const arrived = here.arrived()
  count('requests passed on', arrived.all - before.all)
  // Apache writes a line when it is done with a request.
  if (!(await until(() => !isMore(here.arrived(), here.logged()), 30_000)))
    violations.push('the server saw requests that Apache did not')
  return { counts, violations }
}

const isMore = (ours: Requests, theirs: Requests) => ours.all > theirs.all || ours.hidden > theirs.hidden

const askAsVictim = (client: RawClient, cookie: string) =>
  client.send({
    ...{ method: 'GET', target: '/auth/session/' },
    headers: [
      ['Host', HOST],
      ['Cookie', cookie],
    ],
  })
