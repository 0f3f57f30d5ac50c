import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeBase32 } from '../../src/domain/otp/base32.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { done } from '../cli/expect.ts'
import { goodPassword, place } from '../cli/watchword.ts'
import { type DiskEvent, traceDisk } from '../support/traced.ts'
import { startWatchword } from '../support/watchword.ts'

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const codeOf = (counter: number) =>
  hotpCode(decodeBase32(secret) ?? new Uint8Array(), counter, { algorithm: 'sha1', digits: 6 })

const wrong = 'another password than that'

/** Each costs an attempt at the password; the last one finds its code throttled, and stores nothing about that. */
const attempts = [
  {
    what: 'everything right',
    body: { username: 'alice', password: goodPassword, otp: codeOf(0) },
    status: 200,
  },
  { what: 'a wrong password', body: { username: 'alice', password: wrong, otp: codeOf(1) }, status: 401 },
  { what: 'nobody’s name', body: { username: 'nobody', password: wrong, otp: codeOf(1) }, status: 401 },
  {
    what: 'a disabled user',
    body: { username: 'carl', password: goodPassword, otp: codeOf(1) },
    status: 401,
  },
  { what: 'a wrong code', body: { username: 'alice', password: goodPassword, otp: '123' }, status: 401 },
  {
    what: 'a code that waits',
    body: { username: 'alice', password: goodPassword, otp: codeOf(1) },
    status: 401,
  },
] as const

test('an attempt at a password is on disk before it is answered, by one wait for the disk (SEC-DB-1, SEC-RATE-1)', async (t) => {
  const here = place(t)
  for (const name of ['alice', 'carl'])
    done(await here.run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
  done(await here.run('user add-token alice --hotp --name it --key-stdin', { stdin: secret }))
  done(await here.run('user disable carl'))
  const server = await startWatchword(here.folder, {
    ...here.env,
    WATCHWORD_LISTEN: '127.0.0.1:0',
    WATCHWORD_ORIGIN: 'http://127.0.0.1',
    WATCHWORD_AUTHORIZER_LISTEN: 'off',
    WATCHWORD_LOGIN_UNIFORM_ERRORS: 'true',
    WATCHWORD_THROTTLE_CODE_FREE: '1',
    WATCHWORD_THROTTLE_PASSWORD_FREE: '20',
  })
  t.after(() => server.stop())
  const send = async (body: object) => {
    const response = await fetch(`${server.address}/auth/authenticate/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await response.arrayBuffer()
  }
  // The head of a new log is synced by itself.
  await send({ username: 'somebody', password: wrong, otp: '123' })
  const disk = await traceDisk(server.pid, join(here.folder, 'strace.log'))
  for (const { body } of attempts) await send(body)
  const answers = answersOf(await disk.end())
  assert.deepEqual(
    answers.map(({ status }, index) => `${attempts[index]?.what}: ${status}`),
    attempts.map(({ what, status }) => `${what}: ${status}`),
  )
  for (const [index, { before }] of answers.entries()) {
    const what = attempts[index]?.what ?? ''
    assert.ok(before.filter((event) => event === 'log').length > 1, what)
    assert.deepEqual(before.slice(before.lastIndexOf('log') + 1), ['sync'], what)
    assert.equal(before.filter((event) => event === 'sync').length, 1, what)
  }
})

/** What went on before each answer since the one before it. */
function answersOf(events: readonly DiskEvent[]): { status: number; before: DiskEvent[] }[] {
  const answers: { status: number; before: DiskEvent[] }[] = []
  let before: DiskEvent[] = []
  for (const event of events) {
    if (typeof event === 'string') before.push(event)
    else {
      answers.push({ status: event.answer, before })
      before = []
    }
  }
  return answers
}
