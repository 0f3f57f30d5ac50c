import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import type { AuthorizerHandler } from '../../src/apache/fastcgi/connection.ts'
import {
  AuthorizerListenError,
  type AuthorizerServer,
  type AuthorizerServerOptions,
  SERVED_MAXIMUM,
  startAuthorizerServer,
  WAITING_MAXIMUM,
} from '../../src/apache/fastcgi/server.ts'
import type { AuthorizerAnswer } from '../../src/authorizer/answer.ts'
import { ask, request, SECRET } from '../support/fastcgi-client.ts'
import { begin, pairs, params, record } from '../support/fastcgi-streams.ts'

/** Lets in who has the cookie `ww=good`. */
const byCookie: AuthorizerHandler = async ({ cookie, clientAddress, policy }): Promise<AuthorizerAnswer> => {
  assert.deepEqual([clientAddress, policy], ['192.0.2.1', 'two-factor'])
  return cookie === 'ww=good' ? { kind: 'allow', user: 'bob' } : { kind: 'deny', status: 401, body: 'page' }
}

const good = request('ww=good')
const servers: AuthorizerServer[] = []
let told: string[] = []

async function start(more: Partial<AuthorizerServerOptions> = {}): Promise<AuthorizerServer> {
  const server = await startAuthorizerServer({
    ...{ host: '127.0.0.1', port: 0, secret: SECRET, handle: byCookie },
    watch: {
      answered: (kind) => told.push(kind),
      refused: (why) => told.push(why),
      failed: (error) => told.push(error instanceof Error ? error.message : 'something'),
    },
    ...more,
  })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
  told = []
})

describe('the authorizer answers', () => {
  it('who may pass and who may not, in one record, and closes', async () => {
    const { address } = await start()
    const { records, status } = await ask(address, [good])
    assert.equal(status, 200)
    assert.deepEqual(
      records.map(({ type, id }) => [type, id]),
      [
        [6, 1],
        [3, 1],
      ],
    )
    assert.equal((await ask(address, [request('ww=bad', SECRET, 65_535)])).status, 401)
    assert.deepEqual(told, ['allow', 'deny'])
  })

  it('on IPv6 loopback, in single bytes, after the client ended its side, and closes where it is asked not to', async () => {
    const { address } = await start({ host: '::1' })
    assert.match(address, /^fcgi:\/\/\[::1\]:\d+$/)
    assert.equal(
      (
        await ask(
          address,
          Array.from(good, (byte) => Buffer.of(byte)),
        )
      ).status,
      200,
    )
    assert.equal((await ask(address, [good], { end: true })).status, 200)
    assert.equal((await ask(address, [request('ww=good', SECRET, 1, 1)])).status, 200)
  })

  it('what a web server asks of it (FastCGI 1.0 §4)', async () => {
    const { address } = await start()
    const question = record(
      9,
      0,
      pairs([
        ['FCGI_MPXS_CONNS', ''],
        ['OTHER', ''],
      ]),
    )
    const { records, status } = await ask(address, [question, record(99, 0), good])
    assert.deepEqual(records.slice(0, 2), [
      { type: 10, id: 0, content: pairs([['FCGI_MPXS_CONNS', '0']]) },
      { type: 11, id: 0, content: Buffer.from([99, 0, 0, 0, 0, 0, 0, 0]) },
    ])
    assert.equal(status, 200)
  })

  it('another role with its end, and no answer (FastCGI 1.0 §5.5)', async () => {
    const { address } = await start()
    assert.deepEqual((await ask(address, [begin(7, { role: 1 })])).records, [
      { type: 3, id: 7, content: Buffer.from([0, 0, 0, 0, 3, 0, 0, 0]) },
    ])
  })
})

describe('the authorizer denies', () => {
  it('every caller without the secret, and asks nobody (SEC-FCGI-5)', async () => {
    let asked = 0
    const handle: AuthorizerHandler = async () => {
      asked++
      return { kind: 'allow', user: 'bob' }
    }
    const { address } = await start({ handle })
    const wrong = ['', 'x', `${SECRET}x`, SECRET.slice(1), SECRET.toUpperCase(), `${SECRET}\0`]
    const answers = await Promise.all(wrong.map((secret) => ask(address, [request('ww=good', secret)])))
    const known = answers.map(({ records }) => records[0]?.content.toString())
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([403]))
    assert.equal(new Set(known).size, 1)
    assert.equal(asked, 0)
    assert.deepEqual(
      told,
      wrong.map(() => 'caller'),
    )
    await assert.rejects(start({ secret: 'short' }), RangeError)
  })

  it('when the decision takes too long (SEC-FCGI-7)', async () => {
    const { address } = await start({ handle: () => new Promise(() => {}), times: { decideMs: 100 } })
    const { status, milliseconds } = await ask(address, [good])
    assert.equal(status, 503)
    assert.ok(milliseconds >= 95 && milliseconds < 1500, `${milliseconds} ms`)
    assert.deepEqual(told, ['deadline'])
  })

  it('when the decision fails, at once or later', async () => {
    const fail = () => {
      throw new Error('storage')
    }
    const { address } = await start({ handle: fail })
    assert.equal((await ask(address, [good])).status, 503)
    const later = await start({ handle: async () => fail() })
    assert.equal((await ask(later.address, [good])).status, 503)
    assert.deepEqual(told, ['storage', 'storage'])
  })

  it('when the answer cannot be written safely (SEC-FCGI-1)', async () => {
    const { address } = await start({ handle: async () => ({ kind: 'allow', user: 'b\nStatus: 200 OK' }) })
    assert.equal((await ask(address, [good])).status, 500)
    assert.deepEqual(told, ['an answer could not be written safely'])
  })

  it('a request that is taken back, before and while it is decided', async () => {
    const { address } = await start({ handle: () => new Promise(() => {}) })
    assert.equal((await ask(address, [begin(), record(2, 1)])).status, 503)
    const { status, milliseconds } = await ask(address, [good, record(2, 1)], { pause: 20 })
    assert.equal(status, 503)
    assert.ok(milliseconds < 1500)
  })

  it('when many decisions hang, without calling for more, and goes on when they end', async () => {
    const hanging: (() => void)[] = []
    const handle: AuthorizerHandler = async (asked) => {
      if (hanging.length < 256) await new Promise<void>((resolve) => hanging.push(resolve))
      return byCookie(asked)
    }
    const { address } = await start({ handle, times: { decideMs: 20 } })
    const answers = await Promise.all(Array.from({ length: 300 }, () => ask(address, [good])))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([503]))
    assert.equal(hanging.length, 256)
    assert.equal(told.filter((why) => why === 'busy').length, 44)
    for (const release of hanging) release()
    assert.equal((await ask(address, [good])).status, 200)
  })
})

describe('the authorizer closes without an answer', () => {
  it('where bytes cannot be believed, also after a request that could', async () => {
    const { address } = await start()
    for (const chunks of [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      [begin(), record(4, 2)],
      [begin(1), begin(2)],
      [Buffer.concat([good, begin(2)])],
      [begin(), record(6, 1)],
    ]) {
      assert.deepEqual((await ask(address, chunks)).records, [])
    }
    assert.deepEqual(told, ['version', 'request-id', 'second-request', 'second-request', 'type'])
  })

  it('where a request does not come, comes too slowly, or ends too soon (SEC-FCGI-6)', async () => {
    const { address } = await start({ times: { readMs: 400 } })
    const silent = await ask(address, [])
    assert.ok(silent.milliseconds > 150 && silent.milliseconds < 1500, `${silent.milliseconds} ms`)
    const slow = await ask(
      address,
      Array.from(good, (byte) => Buffer.of(byte)),
      { pause: 50 },
    )
    assert.ok(slow.milliseconds > 350 && slow.milliseconds < 2000, `${slow.milliseconds} ms`)
    await ask(address, [good.subarray(0, 40)], { end: true })
    assert.deepEqual(told, ['idle', 'slow', 'ended'])
  })

  it('where parameters never end', async () => {
    const { address } = await start()
    const endless = Array.from({ length: 40 }, () => record(4, 1, Buffer.alloc(65_000)))
    const { records } = await ask(address, [begin(), ...endless])
    assert.deepEqual(records, [])
    assert.deepEqual(told, ['params-too-long'])
  })
})

describe('the authorizer stays reachable', () => {
  it('while as many connections as it serves are silent', async () => {
    const { address } = await start()
    const silent = Array.from({ length: SERVED_MAXIMUM }, () => ask(address, []))
    const { status, milliseconds } = await ask(address, [good])
    assert.equal(status, 200)
    assert.ok(milliseconds < 1500, `${milliseconds} ms`)
    await Promise.all(silent)
  })

  it('and turns away at once who is too many', async () => {
    const { address } = await start({ times: { waitMs: 60_000, idleMs: 60_000, readMs: 60_000 } })
    const { hostname, port } = new URL(address)
    const waiting = await Promise.all(
      Array.from({ length: SERVED_MAXIMUM + WAITING_MAXIMUM }, async () => {
        const socket = connect(Number(port), hostname)
        await once(socket, 'connect')
        return socket
      }),
    )
    const { records, milliseconds } = await ask(address, [good])
    assert.deepEqual(records, [])
    assert.ok(milliseconds < 1000, `${milliseconds} ms`)
    assert.deepEqual(told, ['busy'])
    for (const socket of waiting) socket.destroy()
  })

  it('and lets nobody wait for long', async () => {
    const { address } = await start({ times: { waitMs: 100, idleMs: 1000 } })
    const silent = Array.from({ length: SERVED_MAXIMUM }, () => ask(address, []))
    assert.deepEqual((await ask(address, [good])).records, [])
    assert.deepEqual(told, ['busy'])
    await Promise.all(silent)
  })

  it('for headers of 640 KiB', async () => {
    const { address } = await start()
    const headers = Array.from({ length: 90 }, (_, i) => [`HTTP_X_${i}`, 'v'.repeat(7281)] as const)
    const chunks = [begin(), params(1, Buffer.concat([pairs(headers), good.subarray(24, good.length - 8)]))]
    assert.equal((await ask(address, chunks)).status, 200)
  })
})

describe('the authorizer stops', () => {
  it('after the requests that are open are answered', async () => {
    const [begun, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const handle: AuthorizerHandler = async (asked) => {
      begun.resolve()
      await decided.promise
      return byCookie(asked)
    }
    const server = await start({ handle })
    const open = ask(server.address, [good])
    await begun.promise
    const stopped = server.stop()
    assert.deepEqual((await ask(server.address, [good])).records, [])
    decided.resolve()
    assert.equal((await open).status, 200)
    await stopped
  })
})

describe('the authorizer listens', () => {
  it('on loopback only, and says when it cannot', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'localhost', '127.example.com', '']) {
      await assert.rejects(start({ host }), AuthorizerListenError, host)
    }
    const { address } = await start()
    await assert.rejects(start({ port: Number(new URL(address).port) }), /cannot be used \(EADDRINUSE\)/)
  })
})
