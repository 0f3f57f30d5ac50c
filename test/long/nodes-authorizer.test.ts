import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { makePerson } from '../support/browser-people.ts'
import { freePort } from '../support/free-port.ts'
import { haproxyBlocks, startHaproxy } from '../support/haproxy.ts'
import { enter, type NodesWorld, siteCookie } from '../support/nodes.ts'
import { type PlacesOfNodes, startPlacesOfNodes } from '../support/nodes-places.ts'
import { isInTime } from '../support/pace.ts'
import { send } from '../support/protected.ts'

/** Longest time that a place may be closed to people who are signed in, when a node goes. */
const PATIENCE_MS = 5000

// Apache asks the HAProxy of the guide, which asks two nodes.
describe('protected places when a node goes', () => {
  let places: PlacesOfNodes
  let world: NodesWorld
  let there: string
  const strangers: string[] = []

  before(async () => {
    places = await startPlacesOfNodes()
    world = places.world
    const { tokens } = await enter(world, await makePerson(world, 'ada'), [places.wiki])
    there = siteCookie(tokens[0])
    await opens()
  })
  after(() => places?.close())

  const ask = async (cookie: string) => {
    const url = new URL('/index.html', places.wiki)
    const headers = { accept: 'text/html', ...(cookie !== '' && { cookie }) }
    return send(world.apache.httpsPort, url, { method: 'GET', headers, body: undefined })
  }
  /** How long it takes until the place opens to who is signed in; all the while it never does to others. */
  async function opens(): Promise<number> {
    const begun = performance.now()
    for (;;) {
      const [{ status, body }, stranger] = await Promise.all([ask(there), ask('')])
      strangers.push(stranger.body)
      assert.ok([302, 500, 503].includes(stranger.status), `a stranger got ${stranger.status}`)
      if (status === 200) {
        assert.equal(body, 'the page of the wiki\n')
        return performance.now() - begun
      }
      assert.ok([500, 503].includes(status), `status ${status}`)
      if (performance.now() - begun > 60_000) throw new Error(`closed for good: ${status}`)
    }
  }
  const assertSoon = async (took: number) =>
    assert.ok(await isInTime(took, PATIENCE_MS), `closed for ${took} ms`)

  it('open again by the other within five seconds when one is killed (SEC-FCGI-8)', async () => {
    for (const node of world.nodes) {
      await node.kill()
      await assertSoon(await opens())
      await world.both()
      await opens()
    }
  })

  it('open again by the other within five seconds when one hangs', async () => {
    for (const node of world.nodes) {
      process.kill(node.pid(), 'SIGSTOP')
      const begun = performance.now()
      try {
        await assertSoon(await opens())
        // Soon each request is answered: what hangs is not asked any more.
        let inARow = 0
        while (inARow < 10) {
          await assertSoon(performance.now() - begun - PATIENCE_MS)
          inARow = (await ask(there)).status === 200 ? inARow + 1 : 0
        }
      } finally {
        process.kill(node.pid(), 'SIGCONT')
      }
      await world.both()
    }
  })

  it('stay closed without any node, and without a database, and open by themselves (SEC-FCGI-8)', async () => {
    for (const node of world.nodes) await node.kill()
    for (let count = 0; count < 5; count++) assert.equal((await ask(there)).status, 500)
    await world.both()
    await opens()
    await world.postgres.kill()
    for (let count = 0; count < 5; count++) assert.ok([500, 503].includes((await ask(there)).status))
    await world.postgres.start()
    await opens()
  })

  it('open by a node of another machine, which only those with a certificate of the nodes reach (SEC-FCGI-5)', async () => {
    const { folder, here } = places
    await makeCertificates(folder)
    const port = await freePort()
    const remote = (text: string) =>
      here(text).replaceAll('10.0.0.12:9443', `127.0.0.1:${port}`).replaceAll('/etc/haproxy/', `${folder}/`)
    const [whole = '', server = '', other = ''] = haproxyBlocks
    const defaults = whole.slice(0, whole.indexOf('listen '))
    const second = server.replace('port 8000', 'port 8001')
    const near = whole.replace(/^ {2}server second .*\n/m, second)
    const far = await startHaproxy(folder, 'far', remote(defaults + other.replace(':9010', ':9011')), port)
    try {
      await places.configure(remote(near))
      await world.keep(world.nodes[1])
      await assertSoon(await opens())
      assert.equal(await speaksTo(port, {}), false)
      const own = readFileSync(join(folder, 'node.pem'), 'utf8')
      assert.equal(await speaksTo(port, { cert: own, key: own }), true)
    } finally {
      await far.stop()
      await world.both()
    }
  })

  it('were never shown to somebody without a session', () => {
    // As quick as the machine is, each of the tests above asked until it was answered.
    assert.ok(strangers.length >= 5)
    assert.ok(strangers.every((body) => !body.includes('the page of the wiki')))
  })
})

/** An authority of the nodes, and a certificate with its key for each of them, as HAProxy reads it. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', [...args], { cwd: folder, stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-subj', '/CN=nodes', '-keyout', 'ca.key', '-out', 'nodes-ca.pem')
  openssl(
    ...['req', ...ec, '-x509', '-CA', 'nodes-ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=node'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', 'node.key', '-out', 'node.crt'],
  )
  const [certificate, key] = ['node.crt', 'node.key'].map((name) => readFileSync(join(folder, name), 'utf8'))
  writeFileSync(join(folder, 'node.pem'), `${certificate}${key}`)
}

/** Whether something there takes what we say, as an authorizer does that closes an idle connection after a while. */
function speaksTo(
  port: number,
  credentials: { readonly cert?: string; readonly key?: string },
): Promise<boolean> {
  return new Promise((resolve) => {
    // The names of what the authorizer can do: it answers whoever reaches it.
    const question = Buffer.from('0109000000110000' + '0f00464347495f4d5058535f434f4e4e53', 'hex')
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...credentials }, () =>
      socket.write(question),
    )
    socket.on('data', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(socket.bytesRead > 0))
  })
}
