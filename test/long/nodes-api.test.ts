import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ClientAnswer, request } from '../support/apache.ts'
import { type EnrolledPerson, makeEnrolledPerson } from '../support/browser-people.ts'
import { type Node, type NodesWorld, startNodes } from '../support/nodes.ts'
import { until } from '../support/until.ts'

/** How many logins a node began, as its log says. */
const loginsOf = (node: Node): number => {
  const lines = node.log().split('\n')
  const told = lines.filter((line) => line.includes('"route":"/auth/login/"'))
  return told.filter((line) => line.includes('"status":200')).length
}

/** Straight to the first node, past Apache. */
const loopback = ({ settings }: Node) => ({
  port: Number(settings.WATCHWORD_LISTEN?.split(':')[1]),
  serverName: 'auth.example.com',
})

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)

type Reply = ClientAnswer & { readonly fields: Record<string, unknown> }

// Two nodes on one PostgreSQL, behind the balancer that `watchword apache vhost --node` prints.
describe('the calls of programs, answered by whichever node is there', () => {
  let world: NodesWorld

  before(async () => {
    world = await startNodes()
  })
  after(() => world?.close())

  /** A program with a jar of cookies, through Apache over TLS. */
  function program() {
    const jar = new Map<string, string>()
    return async (
      path: string,
      fields?: object,
      method = fields === undefined ? 'GET' : 'POST',
    ): Promise<Reply> => {
      const { httpsPort: port, serverName, certificate: ca } = world.apache
      const answer = await request({
        ...{ port, path, serverName, ca, method },
        headers: {
          Host: new URL(world.origin).host,
          Cookie: [...jar].map((pair) => pair.join('=')).join('; '),
          ...(fields !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(fields !== undefined && { body: JSON.stringify(fields) }),
      })
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [pair = ''] = line.split(';')
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
      return { ...answer, fields: answer.body.startsWith('{') ? JSON.parse(answer.body) : {} }
    }
  }
  const somebody = (name: string): Promise<EnrolledPerson> => makeEnrolledPerson(world, name)

  it('verify on one node a login that began on the other, and a code once among all (SEC-OTP-2)', async () => {
    const [first, second] = world.nodes
    const { username, password, phone } = await somebody('ada')
    const send = program()
    await world.keep(first)
    assert.equal((await send('/auth/login/', { username, password })).status, 200)
    await world.keep(second)
    const otp = phone.code()
    const verified = await send('/auth/verify/', { otp })
    assert.deepEqual([verified.status, verified.fields.verified], [200, true])

    await world.keep(first)
    assert.equal((await send('/auth/session/')).status, 200)
    const again = await program()('/auth/authenticate/', { username, password, otp })
    assert.deepEqual([again.status, again.fields.error], [400, 'Invalid OTP'])
  })

  it('end at one node what is ended at the other (FT-REV-1)', async () => {
    const [first, second] = world.nodes
    const { username, password, phone } = await somebody('ben')
    const send = program()
    await world.keep(second)
    assert.equal((await send('/auth/authenticate/', { username, password, otp: phone.code() })).status, 200)
    await world.keep(first)
    assert.equal((await send('/auth/logout/', {})).status, 200)
    await world.keep(second)
    assert.equal((await send('/auth/session/')).status, 401)
  })

  it('count guesses at both together (SEC-RATE-3)', async () => {
    const [first, second] = world.nodes
    await somebody('cleo')
    const guess = async () =>
      (await program()('/auth/login/', { username: 'cleo', password: 'a wrong one' })).status
    await world.keep(first)
    assert.deepEqual([await guess(), await guess(), await guess()], [401, 401, 401])
    await world.keep(second)
    assert.deepEqual([await guess(), await guess(), await guess()], [401, 401, 429])
  })

  it('are answered without a pause when a node dies, and by both again when it is back', async () => {
    await world.both()
    const [first] = world.nodes
    await first.kill()
    for (let count = 0; count < 20; count++) {
      const { status } = await program()('/auth/login/', { username: 'nobody', password: 'else' })
      assert.ok(status === 401 || status === 429, `status ${status}`)
    }
    await first.start()
    const before = first.log().split('/auth/login/').length
    await until(async () => {
      await program()('/auth/login/', { username: 'nobody', password: 'else' })
      return first.log().split('/auth/login/').length > before
    }, 'the node that is back gets somebody')
  })

  it('go to a second node only where the first has not seen the body, when it hangs', async () => {
    await world.both()
    const [first, second] = world.nodes
    const { username, password } = await somebody('dora')
    const seen = () => [first, second].map(loginsOf)
    const login = async () => (await program()('/auth/login/', { username, password })).status
    const timeouts = () => world.apache.errorLog().split('Timeout on 100-Continue').length - 1
    // Both are in use.
    const begun = seen()
    let sent = 0
    await until(async () => {
      assert.equal(await login(), 200)
      sent++
      return seen().every((count, index) => count > (begun[index] ?? 0))
    }, 'both nodes are asked')
    // A node answers a moment before its log is read here.
    const told = (count: number) =>
      until(async () => sum(seen()) === sum(begun) + count, 'the logs tell of all')
    await told(sent)
    const before = seen()
    sent = 0
    process.kill(first.pid(), 'SIGSTOP')
    try {
      await until(async () => {
        const statuses = await Promise.all([login(), login(), login()])
        assert.deepEqual(statuses, [200, 200, 200])
        sent += statuses.length
        return timeouts() > 0
      }, 'the node that hangs is asked')
    } finally {
      process.kill(first.pid(), 'SIGCONT')
    }
    // What the woken node had before it knows no more than the connection that is gone.
    const { status } = await request({ ...loopback(first), path: '/readyz' })
    assert.equal(status, 200)
    await told(sum(before) - sum(begun) + sent)
    assert.deepEqual(seen(), [before[0], (before[1] ?? 0) + sent])
  })

  it('are refused by Apache while no node can reach the database, and answered when one can', async () => {
    await world.both()
    await world.postgres.kill()
    assert.equal((await program()('/auth/login/', { username: 'ada', password: 'x' })).status, 503)
    await world.postgres.start()
    await world.both()
    assert.equal((await program()('/auth/session/')).status, 401)
  })
})
