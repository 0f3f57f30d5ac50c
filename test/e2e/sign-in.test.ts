import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { type Apache, startApache, temporaryFolder } from '../support/apache.ts'
import { environment, runWatchword, startWatchword, type Watchword } from '../support/watchword.ts'
import { PASSWORD, totp } from '../world.ts'

const run = promisify(execFile)

interface Reply {
  readonly status: number
  readonly headers: string
  readonly body: Record<string, unknown>
}

/** curl, as a program of somebody else would call: through Apache, over TLS, with a jar of cookies. */
type Curl = (path: string, ...args: string[]) => Promise<Reply>

// The usage that the README describes, by curl alone.
describe('signing in through Apache over TLS, by curl', () => {
  let apache: Apache
  let server: Watchword
  let folder: string
  let env: Record<string, string>
  let curl: Curl

  before(async () => {
    folder = temporaryFolder('ww-e2e-')
    const socket = join(folder, 'watchword.sock')
    env = environment(folder, {
      WATCHWORD_LISTEN: `unix:${socket}`,
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      // Apache's workers are of another user here; in production the group of the folder is theirs.
      WATCHWORD_SOCKET_MODE: '666',
      WATCHWORD_LOG_LEVEL: 'debug',
    })
    server = await startWatchword(folder, env)
    apache = await startApache({
      vhost: (place) => vhostConfiguration({ ...place, backend: { kind: 'unix', path: socket } }),
    })
    const authority = join(folder, 'ca.pem')
    writeFileSync(authority, apache.certificate)
    curl = async (path, ...args) => {
      const host = `${apache.serverName}:${apache.httpsPort}`
      const common = ['-s', '-i', '--http1.1', '--cacert', authority, '--resolve', `${host}:127.0.0.1`]
      const { stdout } = await run('curl', [...common, ...args, `https://${host}${path}`])
      const [headers = '', ...body] = stdout.split('\r\n\r\n')
      return {
        status: Number(headers.split(' ')[1]),
        headers,
        body: body.join('') === '' ? {} : JSON.parse(body.join('')),
      }
    }
    await runWatchword(folder, env, {
      args: ['createsuperuser', '--username', 'alice', '--password-stdin'],
      stdin: `${PASSWORD}\n`,
    })
  })
  after(async () => {
    await apache?.stop()
    await server?.stop()
  })

  const jar = () => ['-c', join(folder, 'jar'), '-b', join(folder, 'jar')]
  const form = (fields: Record<string, string>) =>
    Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
  let secret = ''

  it('told at its start how to make the first user', () => {
    assert.match(server.stdout(), /npx watchword createsuperuser --username/)
  })

  it('refuses to register a secret for nobody', async () => {
    const reply = await curl('/auth/register-secret/', '-X', 'POST')
    assert.deepEqual([reply.status, reply.body.code], [401, 'not_signed_in'])
  })

  it('logs in with a password and is told to set up a code', async () => {
    const reply = await curl('/auth/login/', ...jar(), ...form({ username: 'alice', password: PASSWORD }))
    assert.deepEqual([reply.status, reply.body.next], [200, 'enrol-totp'])
    assert.match(
      reply.headers,
      /set-cookie: __Host-watchword-login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure/i,
    )
  })

  it('registers a secret that is shown once and kept by nobody', async () => {
    const reply = await curl('/auth/register-secret/', ...jar(), '-X', 'POST')
    assert.equal(reply.status, 200)
    assert.match(reply.headers, /cache-control: no-store/i)
    secret = String(reply.body.shared_secret)
    assert.match(String(reply.body.otpauth_uri), /^otpauth:\/\/totp\/Watchword:alice\?secret=/)
  })

  it('has no session by the password alone', async () => {
    const reply = await curl('/auth/session/', ...jar())
    assert.equal(reply.status, 401)
  })

  it('refuses a wrong code and a wrong password in the words of the contract', async () => {
    const wrongCode = await curl(
      '/auth/authenticate/',
      ...form({ username: 'alice', password: PASSWORD, otp: '000000' }),
    )
    assert.deepEqual([wrongCode.status, wrongCode.body.error], [400, 'Invalid OTP'])
    const wrongPassword = await curl(
      '/auth/authenticate/',
      ...form({ username: 'alice', password: 'not this', otp: totp(secret, now()) }),
    )
    assert.deepEqual([wrongPassword.status, wrongPassword.body.error], [401, 'Invalid username or password'])
  })

  it('signs in with all three at once, and the same code works no second time', async () => {
    const fields = { username: 'alice', password: PASSWORD, otp: totp(secret, now()) }
    const reply = await curl('/auth/authenticate/', ...jar(), ...form(fields))
    assert.deepEqual([reply.status, reply.body.message], [200, 'Authentication successful'])
    const again = await curl('/auth/authenticate/', ...form(fields))
    assert.deepEqual([again.status, again.body.error], [400, 'Invalid OTP'])
  })

  it('knows who is signed in, and from which address', async () => {
    const { body } = await curl('/auth/session/', ...jar())
    assert.deepEqual(
      [(body.user as { username: string }).username, body.amr, body.verified],
      ['alice', ['pwd', 'otp'], true],
    )
    const spoofed = ['-H', 'X-Forwarded-For: 192.0.2.1', '-H', 'Connection: close, X-Forwarded-For']
    const { body: listed } = await curl('/auth/sessions/', ...jar(), ...spoofed)
    const [session] = listed.sessions as { address: string }[]
    assert.equal(session?.address, '127.0.0.1')
  })

  it('believes no forwarding header of a client when it counts guesses (FT-HDR-1, SEC-RATE-3)', async () => {
    const address = (index: number) => [
      '-H',
      `X-Forwarded-For: 192.0.2.${index}`,
      '-H',
      `Forwarded: for=192.0.2.${index}`,
    ]
    const guesses = Array.from({ length: 6 }, (_, index) =>
      curl('/auth/login/', ...address(index), ...form({ username: 'nobody', password: 'guess' })),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 401).length, 5)
    assert.equal(statuses.filter((status) => status === 429).length, 1)
    const audit = await runWatchword(folder, env, { args: ['audit', 'export'] })
    assert.doesNotMatch(audit, /192\.0\.2\./)
  })

  it('signs out', async () => {
    assert.equal((await curl('/auth/logout/', ...jar(), '-X', 'POST')).status, 200)
    assert.equal((await curl('/auth/session/', ...jar())).status, 401)
  })

  it('left no password, secret, code or token in any log (FT-LEAK-1)', async () => {
    const logs = server.stdout() + server.stderr() + apache.errorLog() + apache.accessLog()
    const jarText = await run('cat', [join(folder, 'jar')])
    const tokens = jarText.stdout.match(/[\w-]{43}/g) ?? []
    for (const secretText of [PASSWORD, encodeURIComponent(PASSWORD), secret, ...tokens]) {
      assert.ok(!logs.includes(secretText))
    }
    assert.match(server.stderr(), /"route":"\/auth\/authenticate\/"/)
  })

  it('answers every request that is open and ends with exit code 0 on SIGTERM', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 })
    const all = (path: string, body?: string) =>
      Array.from({ length: 20 }, () => send({ agent, socketPath: server.address, path }, body))
    // Connections that are open already, so that each login below is in the server's hands when the first is answered.
    await Promise.all(all('/healthz'))
    const logins = all('/auth/login/', JSON.stringify({ username: 'somebody', password: 'else' }))
    await Promise.race(logins)
    assert.equal(await server.stop(), 0)
    const statuses = await Promise.all(logins)
    assert.deepEqual(
      statuses.filter((status) => status !== 401 && status !== 429),
      [],
    )
  })
})

function send(options: http.RequestOptions, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const request = http.request(
      { ...options, headers, method: body === undefined ? 'GET' : 'POST' },
      (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
      },
    )
    request.once('error', reject)
    request.end(body)
  })
}

const now = () => Math.floor(Date.now() / 1000)
