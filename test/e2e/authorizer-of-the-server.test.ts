import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { temporaryFolder } from '../support/apache.ts'
import { ask, request } from '../support/fastcgi-client.ts'
import { environment, startWatchword } from '../support/watchword.ts'

it('is started with the server, with a secret of its own, and stops with it (SEC-FCGI-5)', async (t) => {
  const folder = temporaryFolder('ww-serve-')
  const env = environment(folder, {
    WATCHWORD_LISTEN: '127.0.0.1:0',
    WATCHWORD_ORIGIN: 'https://auth.example.com',
    WATCHWORD_AUTHORIZER_LISTEN: '127.0.0.1:0',
    WATCHWORD_LOG_LEVEL: 'info',
  })
  const server = await startWatchword(folder, env)
  t.after(() => server.kill())
  const started = /"address":"(fcgi:[^"]*)"/
  for (let wait = 0; wait < 1500 && !started.test(server.stderr()); wait++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const address = started.exec(server.stderr())?.[1] ?? ''
  const file = join(folder, 'data', 'authorizer-secret')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const secret = readFileSync(file, 'utf8').trim()
  // A host that is not listed: the secret was right, and the answer is the authorizer's own.
  assert.equal((await ask(address, [request('', secret)])).status, 403)
  assert.equal((await ask(address, [request('', 'another-secret-of-22-characters')])).status, 403)
  // Other proxies ask at the address of the pages.
  const facts = { for: '203.0.113.7', method: 'GET', proto: 'https', host: 'other.example', uri: '/' }
  const forwarded = Object.entries(facts).map(([name, value]): [string, string] => [
    `x-forwarded-${name}`,
    value,
  ])
  const asAProxy = (shown: string) =>
    fetch(`${server.address}/api/authorize?policy=two-factor`, {
      headers: [...forwarded, ['x-watchword-secret', shown]],
    })
  const [decided, refused] = [await asAProxy(secret), await asAProxy('another-secret-of-22-characters')]
  assert.deepEqual([decided.status, decided.headers.get('x-watchword-answer')], [403, 'json'])
  assert.deepEqual([refused.status, refused.headers.get('x-watchword-answer')], [403, null])
  assert.ok(!server.stderr().includes(secret))
  assert.equal(await server.stop(), 0)
  assert.equal((await ask(address, [request('', secret)])).status, undefined)
})
