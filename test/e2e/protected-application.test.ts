import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type ProtectedWorld, place, startProtected, type Visitor } from '../support/protected.ts'
import { openWire } from '../support/wire.ts'

const MEBIBYTE = 1024 * 1024

/** What the application noticed of one request. */
interface Seen {
  readonly method: string | undefined
  readonly user: string | undefined
  /** Which of the connections of Apache it came over. */
  readonly connection: number
  readonly length: number
  readonly hash: string
}

// One application behind mod_proxy, with one connection for all who use it.
describe('a proxied application in a protected place', () => {
  const application = http.createServer()
  const sockets = new Set<Duplex>()
  let here: ProtectedWorld
  const members: { readonly name: string; readonly visitor: Visitor; readonly cookie: string }[] = []
  let seen: Seen[] = []
  let port = 0

  application.on('request', async (request, response) => {
    const hash = createHash('sha256')
    let length = 0
    for await (const part of request) {
      hash.update(part)
      length += part.length
    }
    const user = request.headers['x-remote-user']
    seen.push({
      method: request.method,
      user: typeof user === 'string' ? user : undefined,
      connection: request.socket.remotePort ?? 0,
      length,
      hash: hash.digest('hex'),
    })
    if (request.url === '/app/big') {
      const block = Buffer.alloc(MEBIBYTE, 'x')
      for (let sent = 0; sent < 64; sent++) if (!response.write(block)) await once(response, 'drain')
    }
    response.end(`for ${user}`)
  })
  application.on('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
    const user = request.headers['x-remote-user']
    seen.push({ method: 'upgrade', user: String(user), connection: 0, length: 0, hash: '' })
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.write(`welcome ${user}\n`)
    socket.on('data', (data) => socket.write(data))
    sockets.add(socket)
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
  })

  before(async () => {
    await once(application.listen(0, '127.0.0.1'), 'listening')
    port = (application.address() as AddressInfo).port
    here = await startProtected({
      wiki: () => `
  ProxyPass "/app" "http://127.0.0.1:${port}/app" upgrade=websocket max=1 retry=0
  ${place('/app', 'two-factor')}`,
      shop: () => '',
    })
    for (const name of ['ada', 'ben', 'cleo']) {
      const visitor = here.visitor((await here.world.enrolled(name)).browser)
      await visitor.open(`${here.wiki}/app`)
      const token = visitor.jars.get(here.wiki)?.get('__Host-watchword-site')
      members.push({ name, visitor, cookie: `__Host-watchword-site=${token}` })
    }
  })
  beforeEach(() => {
    seen = []
  })
  after(async () => {
    await here?.close()
    await closeApplication()
  })

  const [ada, ben] = [() => member(0), () => member(1)]
  function member(at: number) {
    const found = members[at]
    if (found === undefined) throw new Error('three members')
    return found
  }
  async function closeApplication(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    application.closeAllConnections()
    await new Promise((closed) => application.close(closed))
  }
  const wire = () => openWire(here.apache.httpsPort, 'wiki.example.net')
  const head = (line: string, ...fields: readonly string[]) =>
    [line, `Host: wiki.example.net:${here.apache.httpsPort}`, ...fields, '\r\n'].join('\r\n')

  it('sees each request under the name of who sent it, on a connection that all of them share', async () => {
    const rounds = Array.from({ length: 60 }, (_, at) => member(at % 3))
    const replies = await Promise.all(
      rounds.map(({ visitor }) => visitor.get(`${here.wiki}/app`, { connection: 'keep-alive' })),
    )
    for (const [at, { name }] of rounds.entries()) assert.equal(replies[at]?.body, `for ${name}`)
    const names = Map.groupBy(seen, ({ connection }) => connection)
    assert.ok([...names.values()].some((of) => new Set(of.map(({ user }) => user)).size === 3))
  })

  it('sees nobody under the name of who used the same connection of a browser before', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (cookie?: string) =>
      new Promise<{ status: number | undefined; body: string; port: number | undefined }>(
        (resolve, reject) => {
          const { httpsPort } = here.apache
          const headers = { host: `wiki.example.net:${httpsPort}`, ...(cookie !== undefined && { cookie }) }
          const options = { host: '127.0.0.1', port: httpsPort, servername: 'wiki.example.net' }
          const request = https.get(
            { ...options, path: '/app', headers, agent, rejectUnauthorized: false },
            async (answer) => {
              let body = ''
              for await (const part of answer.setEncoding('utf8')) body += part
              resolve({ status: answer.statusCode, body, port: request.socket?.localPort })
            },
          )
          request.on('error', reject)
        },
      )
    const first = await ask(ada().cookie)
    assert.deepEqual([first.status, first.body], [200, 'for ada'])
    const nobody = await ask()
    assert.deepEqual([nobody.status, nobody.port], [401, first.port])
    assert.equal((await ask(ben().cookie)).body, 'for ben')
    assert.equal((await ask()).status, 401)
    assert.deepEqual(
      seen.map(({ user }) => user),
      ['ada', 'ben'],
    )
    agent.destroy()
  })

  describe('a WebSocket', () => {
    const handshake = (...fields: readonly string[]) =>
      head('GET /app/socket HTTP/1.1', 'Upgrade: websocket', ...fields)

    for (const connection of ['Upgrade', 'keep-alive, Upgrade']) {
      it(`opens for who is in, and knows them (Connection: ${connection})`, async () => {
        const socket = await wire()
        socket.write(handshake(`Connection: ${connection}`, `Cookie: ${ada().cookie}`))
        assert.match(await socket.until('welcome ada\n'), /^HTTP\/1\.1 101 /)
        socket.write('over there\n')
        await socket.until('over there\n')
        socket.close()
      })
    }

    it('does not open for anybody else, and leads nowhere', async () => {
      const socket = await wire()
      socket.write(handshake('Connection: Upgrade', 'Sec-Fetch-Mode: websocket'))
      socket.write(head('GET /app/inside HTTP/1.1', 'Connection: close'))
      const reply = await socket.rest()
      assert.deepEqual(reply.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 401', 'HTTP/1.1 401'])
      assert.deepEqual(seen, [])
    })
  })

  describe('what is sent', () => {
    const body = randomBytes(3 * MEBIBYTE)
    const hash = createHash('sha256').update(body).digest('hex')

    it('is waited for and passed on, for who is in (Expect: 100-continue)', async () => {
      const socket = await wire()
      const length = `Content-Length: ${body.length}`
      const cookie = `Cookie: ${ada().cookie}`
      socket.write(
        head('PUT /app/file HTTP/1.1', 'Expect: 100-continue', 'Connection: close', length, cookie),
      )
      await socket.until('HTTP/1.1 100 Continue\r\n\r\n')
      socket.write(body)
      assert.match(await socket.rest(), /\r\n\r\nHTTP\/1\.1 200 /)
      assert.deepEqual([seen[0]?.user, seen[0]?.hash], ['ada', hash])
    })

    it('need not be sent by who is not, and reaches nothing if it is', async () => {
      const socket = await wire()
      const length = `Content-Length: ${body.length}`
      socket.write(head('PUT /app/file HTTP/1.1', 'Expect: 100-continue', length))
      const reply = await socket.rest()
      assert.deepEqual(reply.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 401'])
      const stranger = await here.visitor().get(`${here.wiki}/app/file`, {}, 'PUT', body.toString('hex'))
      assert.equal(stranger.status, 401)
      assert.deepEqual(seen, [])
    })

    it('may be of no length that is known (chunked)', async () => {
      const sent = body.toString('base64')
      const headers = { 'transfer-encoding': 'chunked' }
      const { status } = await ben().visitor.get(`${here.wiki}/app/file`, headers, 'POST', sent)
      assert.deepEqual([status, seen[0]?.user, seen[0]?.length], [200, 'ben', sent.length])
      assert.equal(seen[0]?.hash, createHash('sha256').update(sent).digest('hex'))
      assert.equal((await here.visitor().get(`${here.wiki}/app/file`, headers, 'POST', sent)).status, 401)
      assert.equal(seen.length, 1)
    })
  })

  it('sends 64 MiB through without filling the memory of Apache', async () => {
    const before = peakMemory(here.apache.folder)
    const { status, body } = await ada().visitor.get(`${here.wiki}/app/big`)
    assert.deepEqual([status, body.length], [200, 64 * MEBIBYTE + 'for ada'.length])
    assert.ok(peakMemory(here.apache.folder) - before < 16 * MEBIBYTE)
  })

  it('opens nothing while it is down, and is there again by itself', async () => {
    await closeApplication()
    const { status, body } = await ada().visitor.get(`${here.wiki}/app`)
    assert.deepEqual([status, body.includes('ada')], [503, false])
    const stranger = await here.visitor().get(`${here.wiki}/app`)
    assert.equal(stranger.status, 302)
    await once(application.listen(port, '127.0.0.1'), 'listening')
    assert.equal((await ada().visitor.get(`${here.wiki}/app`)).body, 'for ada')
  })
})

/** Bytes: the most that the processes of a server ever held. */
function peakMemory(folder: string): number {
  const parent = readFileSync(join(folder, 'apache2.pid'), 'utf8').trim()
  const statuses = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => statusOf(pid))
    .filter((status) => status.includes(`PPid:\t${parent}\n`))
  return Math.max(...statuses.map((status) => Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024))
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // It ended meanwhile.
  }
}
