import assert from 'node:assert/strict'
import { groupNameProblem } from '../../src/domain/group.ts'
import { label } from '../../src/domain/label.ts'
import { normalizeUsername, usernameProblem } from '../../src/domain/user.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { assertDeclared } from '../../test/http/declared-answers.ts'
import { RawClient } from '../../test/support/raw-client.ts'
import { startWorld, type World } from '../../test/world.ts'
import { makeCallers } from '../support/callers.ts'
import { drawRequest, type Sent } from '../support/hostile-requests.ts'
import type { Random } from '../support/random.ts'
import type { Trial } from '../support/trial.ts'

const REQUESTS = 250
/** Rounds that one database lives through. */
const LIFE = 20
/** Processor time of one request, in milliseconds, all threads together. */
const LONGEST = 100

const plenty = { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 }

/** Bodies of every shape, at every address, by everybody. */
export const hostileBodies: Trial = {
  id: 'FT-FUZZ-3',
  name: 'hostile-bodies',
  holds:
    'Whatever body comes to whatever address, the answer is one that is declared, soon, and never a fault.',
  rounds: `batches of ${REQUESTS} requests`,
  sizes: { ci: 200, soak: 8000, release: 8000 },
  needs: ['requests', 'of these over a socket', 'taken', 'refused as malformed', 'not allowed'],
  patience: 120,
  async begin() {
    const faults: string[] = []
    const uncaught = (error: unknown) => faults.push(`uncaught: ${String(error).slice(0, 300)}`)
    process.on('uncaughtException', uncaught)
    process.on('unhandledRejection', uncaught)
    let stage = await startStage(faults)
    return {
      async round(number, random) {
        if (number % LIFE === 0) {
          await stage.close()
          stage = await startStage(faults)
        }
        return oneRound(stage, number, { random, faults })
      },
      async end() {
        await stage.close()
        process.off('uncaughtException', uncaught)
        process.off('unhandledRejection', uncaught)
        return undefined
      },
    }
  },
}

interface Stage {
  readonly world: World
  readonly port: number
  close(): Promise<void>
}

async function startStage(faults: string[]): Promise<Stage> {
  const world = await startWorld({
    config: { throttle: plenty },
    log: (line) => {
      if (/"level":(?:50|60)|"level":"(?:error|fatal)"/.test(line))
        faults.push(`logged: ${line.slice(0, 500)}`)
    },
  })
  const server: RunningServer = await startServer(
    world.app,
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    world.edge.securityHeaders,
  )
  return {
    world,
    port: Number(new URL(server.address).port),
    async close() {
      await server.stop()
      await world.close()
    },
  }
}

interface Came {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

async function oneRound(
  stage: Stage,
  number: number,
  { random, faults }: { readonly random: Random; readonly faults: string[] },
) {
  const counts: Record<string, number> = {}
  const count = (kind: string) => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  const violations: string[] = []
  const client = new RawClient({ port: stage.port })
  const key = random.bytes(20)
  let callers = await makeCallers(stage.world, key, number * 10)
  for (let request = 0; request < REQUESTS; request++) {
    if (request % 50 === 49) callers = await makeCallers(stage.world, key, number * 10 + (request + 1) / 50)
    const sent = drawRequest(callers, random)
    const isOverSocket = request % 20 === 0
    const before = process.cpuUsage()
    const came = isOverSocket ? await overSocket(client, sent) : await inProcess(stage.world, sent)
    const { user, system } = process.cpuUsage(before)
    count('requests')
    if (isOverSocket) count('of these over a socket')
    if (came.status < 400) count('taken')
    if (came.status === 400 || came.status === 422) count('refused as malformed')
    if (came.status === 401 || came.status === 403) count('not allowed')
    const what = `${sent.method} ${sent.path.slice(0, 80)} → ${came.status}`
    const wrong = wrongOf(sent, came)
    if (wrong !== undefined) violations.push(`${what}: ${wrong} (request ${request})`)
    if ((user + system) / 1000 > LONGEST && (await isSlowAgain(stage.world, sent)))
      violations.push(`${what} takes more than ${LONGEST} ms of the processor (request ${request})`)
    for (const fault of faults.splice(0)) violations.push(`${what}: ${fault}`)
    stage.world.clock.advance(1)
  }
  client.close()
  violations.push(...(await escapes(stage.world)))
  return { counts, violations }
}

/** Once may be the collector of garbage; a body that is costly is so each time. */
async function isSlowAgain(world: World, sent: Sent): Promise<boolean> {
  for (let time = 0; time < 3; time++) {
    const before = process.cpuUsage()
    await inProcess(world, sent)
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 <= LONGEST) return false
  }
  return true
}

function wrongOf(sent: Sent, { status, headers, text }: Came): string | undefined {
  if (status >= 500) return text.slice(0, 200)
  try {
    const isJson = headers.get('content-type')?.startsWith('application/json') === true
    const body = isJson && text !== '' ? JSON.parse(text) : undefined
    assertDeclared(sent.method, sent.path, { status, headers, text, body })
  } catch (error) {
    return error instanceof assert.AssertionError ? error.message.slice(0, 300) : String(error)
  }
  return undefined
}

async function inProcess(world: World, { method, path, headers, body }: Sent): Promise<Came> {
  const response = await world.app.request(
    `https://auth.example.com${path}`,
    { method, headers, ...(body !== undefined && { body: new Uint8Array(body) }) },
    { peer: { kind: 'tcp', address: '203.0.113.7' } },
  )
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function overSocket(client: RawClient, { method, path, headers, body }: Sent): Promise<Came> {
  const { 'transfer-encoding': _, ...others } = headers
  const answer = await client.send({
    ...{ method, target: path, body: body?.toString('latin1') ?? '' },
    headers: [
      ['host', 'auth.example.com'],
      ...Object.entries(others),
      ...(body === undefined ? [] : [['content-length', String(body.length)] as const]),
    ],
  })
  const text = Buffer.from(answer.body, 'latin1').toString()
  return {
    status: answer.status,
    headers: new Headers(answer.headers.map(([name, value]) => [name, value])),
    text,
  }
}

/** What is stored that no rule allows. */
async function escapes({ services: { db } }: World): Promise<string[]> {
  const found: string[] = []
  for (const { username, canonical_username: key, display_name: name } of await db
    .selectFrom('user')
    .selectAll()
    .execute()) {
    if (usernameProblem(username) !== undefined || key !== normalizeUsername(username))
      found.push('a username is stored that may be none')
    if (name !== '' && label(name, 128) !== name) found.push('a display name is stored that may be none')
  }
  const devices = await db.selectFrom('otp_device').select('name').execute()
  if (devices.some(({ name }) => label(name, 64) !== name)) found.push('a device has a name that may be none')
  const groups = await db.selectFrom('user_group').select('name').execute()
  if (groups.some(({ name }) => groupNameProblem(name) !== undefined))
    found.push('a group has a name that may be none')
  if (Reflect.ownKeys(Object.prototype).some((name) => name === 'polluted' || name === 'is_superuser'))
    found.push('the prototype of all objects was changed')
  return found
}
