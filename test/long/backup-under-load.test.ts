import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeBase32 } from '../../src/domain/otp/base32.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { totpCode } from '../../src/domain/otp/totp.ts'
import { done, json } from '../cli/expect.ts'
import { goodPassword, type Place, place } from '../cli/watchword.ts'
import { tryCode, withServicesOn } from '../support/sign-in-check.ts'
import { startWatchword } from '../support/watchword.ts'

/** How many sign-ins each person makes while the backup is made, at least, and once more after it. */
const ROUNDS = Number(process.env.WW_LOAD_ROUNDS ?? 3)

const parameters = { algorithm: 'sha1', digits: 6 } as const

interface Person {
  readonly name: string
  readonly kind: 'totp' | 'hotp'
  readonly secret: string
  readonly key: Uint8Array
  /** Codes that a person may still show: of later time steps, of a counter, of paper. */
  readonly unused: string[]
  counter: number
}

/** What the server answered with 200, when, and what it gave for it. */
interface Accepted {
  readonly person: Person
  readonly code: string
  readonly at: number
  readonly cookie: string
}

const people: readonly Person[] = Array.from({ length: 6 }, (_, index) => {
  const secret = `GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ${'ABCDEF'[index]}`
  const key = decodeBase32(secret)
  if (key === undefined) throw new Error('a secret is not base32')
  const kind = index % 2 === 0 ? 'totp' : 'hotp'
  return { name: `person${index}`, kind, secret, key, unused: [], counter: 0 }
})

/** The codes of a phone that count now, and the next ones of a token; each is taken once. */
function refill(person: Person): void {
  if (person.kind === 'hotp') {
    person.unused.push(hotpCode(person.key, person.counter++, parameters))
    return
  }
  const step = Math.floor(Date.now() / 30_000)
  for (; person.counter <= step + 1; person.counter++) {
    if (person.counter >= step - 1) person.unused.push(totpCode(person.key, person.counter, parameters))
  }
}

async function peopled(here: Place): Promise<void> {
  for (const { name, kind, secret } of people) {
    done(await here.run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
    done(await here.run(`user add-token ${name} --${kind} --name it --key-stdin`, { stdin: secret }))
  }
}

const settings = {
  WATCHWORD_LISTEN: '127.0.0.1:0',
  WATCHWORD_ORIGIN: 'http://127.0.0.1',
  WATCHWORD_AUTHORIZER_LISTEN: 'off',
  WATCHWORD_THROTTLE_NETWORK_LIMIT: '100000',
  WATCHWORD_THROTTLE_SITE_LIMIT: '1000000',
  WATCHWORD_THROTTLE_SERVER_LIMIT: '1000000',
  WATCHWORD_SESSION_LIMIT: '100',
}

test('a backup under load gives back every acknowledged row, no code twice and no session (SEC-DB-1, SEC-DB-4, FT-REST-1)', async (t) => {
  const here = place(t)
  await peopled(here)
  const server = await startWatchword(here.folder, { ...here.env, ...settings })
  const accepted: Accepted[] = []
  const countOf = (person: Person) => accepted.filter((one) => one.person === person).length
  let isOver = false
  const backup = join(here.folder, 'load.backup')
  let beforeBackup: readonly Accepted[] = []
  try {
    const send = (path: string, fields: object, cookie = '') =>
      fetch(`${server.address}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie },
        body: JSON.stringify(fields),
      })
    const signIn = async (person: Person, code: string) => {
      const at = Math.floor(Date.now() / 1000)
      const response = await send('/auth/authenticate/', {
        ...{ username: person.name, password: goodPassword, otp: code },
      })
      await response.arrayBuffer()
      if (response.status !== 200) return
      const cookie = response.headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '')
      accepted.push({ person, code, at, cookie: cookie.join('; ') })
    }
    const act = async (person: Person) => {
      while (!isOver) {
        if (person.unused.length === 0) refill(person)
        const code = person.unused.shift()
        const latest = accepted.findLast((one) => one.person === person)
        if (code !== undefined) await signIn(person, code)
        else if (latest !== undefined) {
          // The codes of the phone are spent for half a minute: on with those on paper.
          const made = await send('/auth/recovery-codes/', {}, latest.cookie)
          assert.equal(made.status, 200)
          person.unused.push(...((await made.json()) as { recovery_codes: string[] }).recovery_codes)
        }
      }
    }
    const acting = people.map(act)
    const everybody = async (count: number) => {
      const wanted = people.map((person) => countOf(person) + count)
      const until = Date.now() + 300_000
      while (people.some((person, index) => countOf(person) < (wanted[index] ?? 0))) {
        assert.ok(Date.now() < until, 'everybody signs in again and again')
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await everybody(ROUNDS)
    beforeBackup = [...accepted]
    const [ran] = await Promise.all([here.runWords(['backup', backup]), everybody(ROUNDS)])
    done(ran, /6 users.*read back/)
    await everybody(ROUNDS)
    isOver = true
    await Promise.all(acting)
  } finally {
    isOver = true
    await server.stop()
  }
  t.diagnostic(`accepted before the backup: ${beforeBackup.length}, in all: ${accepted.length}`)
  assert.equal(new Set(accepted.map(({ person, code }) => `${person.name} ${code}`)).size, accepted.length)

  for (const isLaterKnown of [true, false]) {
    const folder = join(here.folder, isLaterKnown ? 'known' : 'lost')
    cpSync(join(here.folder, 'data'), folder, { recursive: true })
    if (!isLaterKnown)
      for (const end of ['', '-wal', '-shm']) rmSync(join(folder, `watchword.sqlite3${end}`), { force: true })
    const env = { ...here.env, WATCHWORD_DATA: folder }
    const restored = json(await here.runWords(['restore', backup, '--yes', '--json'], { env }))
    assert.equal(restored.compared, isLaterKnown)
    await assertWhole(here, env, beforeBackup)
    await assertSpent(here, env, accepted)
    await assertOver(here, env, accepted)
    if (isLaterKnown) await assertOpen(here, env)
  }
})

/** Everything that was answered before the backup began is in it: each sign-in has its line. */
async function assertWhole(here: Place, env: Record<string, string>, before: readonly Accepted[]) {
  const ran = await here.run('audit export', { env })
  const events = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const person of people) {
    const lines = events.filter(
      ({ event, user }) => event === 'signed-in' && user?.username === person.name,
    ).length
    const answered = before.filter((one) => one.person === person).length
    assert.ok(lines >= answered, `${person.name}: ${lines} of ${answered}`)
  }
  done(await here.run('keys check', { env }), /Every secret opens/)
}

/** Even had the restore taken no time: at the moment at which each code was accepted it is not any more. */
async function assertSpent(here: Place, env: Record<string, string>, accepted: readonly Accepted[]) {
  await withServicesOn({ cwd: here.folder, env }, async (services, clock) => {
    for (const { person, code, at } of accepted) {
      clock.now = at
      const kind = await tryCode(services, person.name, goodPassword, code)
      assert.notEqual(kind, 'signed-in', `${person.name} ${person.kind} at ${at}`)
    }
  })
}

async function assertOver(here: Place, env: Record<string, string>, accepted: readonly Accepted[]) {
  const server = await startWatchword(here.folder, { ...env, ...settings })
  try {
    for (const { cookie } of accepted) {
      const { status } = await fetch(`${server.address}/auth/session/`, { headers: { cookie } })
      assert.equal(status, 401)
    }
  } finally {
    await server.stop()
  }
}

/** What was never shown is good still: the next code of each token, and of each phone in an hour. */
async function assertOpen(here: Place, env: Record<string, string>) {
  await withServicesOn({ cwd: here.folder, env }, async (services, clock) => {
    clock.now += 3600
    for (const { name, kind, key, counter } of people) {
      const next = kind === 'hotp' ? counter : Math.floor(clock.now / 30)
      const code = hotpCode(key, next, parameters)
      assert.equal(await tryCode(services, name, goodPassword, code), 'signed-in', name)
    }
  })
}
