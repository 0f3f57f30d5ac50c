import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startServer } from '../../src/http/server.ts'
import { type Reply, startWorld, type World } from '../world.ts'
import { stranger } from './journeys.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const filesOf = ({ text }: Reply) =>
  [...text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map(([, path = '']) => path)

describe('the API documentation', () => {
  it('is there for anybody, with a policy of its own that lets nothing run but files of ours (SEC-WEB-1)', async () => {
    const page = await stranger(world).get('/docs/api')
    assert.equal(page.status, 200)
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
    ]) {
      assert.ok(policy.split('; ').includes(part), part)
    }
    assert.doesNotMatch(page.text, /<style|style="|<script>|onclick|https?:\/\//)
  })

  it('loads a stylesheet and two scripts, which browsers keep for ever', async () => {
    const files = filesOf(await stranger(world).get('/docs/api'))
    assert.deepEqual(
      files.map((path) => path.replace(/-[0-9a-f]{12}\./, '.')),
      ['/static/api/swagger-ui.css', '/static/api/swagger-ui-bundle.js', '/static/api/api-docs.js'],
    )
    for (const path of files) {
      const request = new Request(`https://auth.example.com${path}`)
      const file = await world.app.fetch(request, { peer: { kind: 'unix' } })
      assert.equal(file.status, 200, path)
      assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable')
      assert.equal(file.headers.get('x-content-type-options'), 'nosniff')
      assert.match(file.headers.get('content-type') ?? '', /^text\/(?:css|javascript); charset=utf-8$/)
      assert.equal(file.headers.get('content-length'), String((await file.bytes()).length))
    }
  })

  it('gives no other file of the package or of the disk', async () => {
    for (const name of [
      ...['index.html', 'package.json', 'swagger-ui-bundle.js', 'swagger-ui.css.map', '..%2fpackage.json'],
      ...['..%2f..%2f..%2fpackage.json', '%2e%2e%2fapp.ts', 'swagger-ui-000000000000.css', '', '%00'],
    ]) {
      assert.equal((await stranger(world).get(`/static/api/${name}`)).status, 404, name)
    }
  })

  it('keeps no file open for whoever does not read it', async () => {
    const [, path = ''] = filesOf(await stranger(world).get('/docs/api'))
    const server = await startServer(world.app, { kind: 'tcp', host: '127.0.0.1', port: 0 }, {})
    const port = Number(new URL(server.address).port)
    for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) await leaveEarly(port, `${method} ${path} HTTP/1.1`)
    for (let tries = 0; tries < 1500 && openFilesOfPackage() > 0; tries++) await delay(20)
    assert.equal(openFilesOfPackage(), 0)
    await server.stop()
  })
})

/** Asks, waits for the first bytes of the answer and goes away. */
function leaveEarly(port: number, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
    socket.write(`${line}\r\nHost: auth.example.com\r\n\r\n`)
  })
}

function openFilesOfPackage(): number {
  const opened = readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`)
    } catch {
      return '' // Closed meanwhile, such as the folder that is listed.
    }
  })
  return opened.filter((path) => path.includes('swagger-ui-dist')).length
}
