import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { addDevice } from '../../src/actions/add-device.ts'
import { type Browser, type Enrolled, expectStatus, PASSWORD, type Reply, type World } from '../world.ts'

/** Names of the cookies on https. */
export const SESSION = '__Host-watchword-session'
export const LOGIN = '__Host-watchword-login'
export const BROWSER = '__Host-watchword-browser'

/** A body as HTML forms send it. */
export const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
})

let addresses = 0

/** Somebody at an address that nobody had before. */
export function stranger(world: World): Browser {
  addresses++
  return world.browser({
    address: `198.${18 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`,
  })
}

type Account = Pick<Enrolled, 'username' | 'phone'>

/** Signs in with all three at once; afterwards the phone shows the next code. */
export async function signIn(world: World, account: Account, browser = stranger(world)): Promise<Browser> {
  const { username, phone } = account
  const credentials = { username, password: PASSWORD, otp: phone.code() }
  await expectStatus(browser.post('/auth/authenticate/', credentials), 200)
  world.clock.advance(30)
  return browser
}

/** A login whose password was right and that waits for what comes next. */
export async function halfSignedIn(
  world: World,
  username: string,
  next: 'totp' | 'enrol-totp' | 'new-password' = 'totp',
  browser = stranger(world),
): Promise<Browser> {
  const reply = await expectStatus(browser.post('/auth/login/', { username, password: PASSWORD }), 200)
  assert.equal(reply.body.next, next)
  return browser
}

/** Ten recovery codes of a user who is freshly signed in. */
export async function recoveryCodes(browser: Browser): Promise<string[]> {
  return (await expectStatus(browser.post('/auth/recovery-codes/'), 200)).body.recovery_codes
}

/** How often each status came. */
export function tally(replies: readonly Reply[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** So many calls, all begun before the first is answered. */
export function atOnce<T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => call(index)))
}

/** Whether somebody is signed in here. */
export async function isSignedIn(browser: Browser): Promise<boolean> {
  const { status } = await browser.get('/auth/session/')
  assert.ok([200, 401].includes(status))
  return status === 200
}

/** The status and code of an error. */
export const errorOf = ({ status, body }: Reply): [number, string] => [status, body?.code]

/** The events of one user, and no fields. */
export async function eventsOf(world: World, userId: string): Promise<string[]> {
  return (await world.audit()).filter((event) => event.user_id === userId).map(({ event }) => event)
}

/** How many wrong codes of this user were looked at (I4). */
export async function codesLookedAt(world: World, userId: string): Promise<number> {
  const events = await world.audit()
  return events.filter((e) => e.user_id === userId && e.fields.reason === 'wrong-code').length
}

/** What is charged to the user's codes. */
export async function charged(world: World, userId: string): Promise<number> {
  const row = await world.services.db
    .selectFrom('attempts')
    .select('count')
    .where('key', '=', `code:${userId}`)
    .executeTakeFirst()
  return row?.count ?? 0
}

/** A code that no time near now has; of the right form. */
export function wrongCode(account: Account): string {
  const near = new Set([-2, -1, 0, 1, 2].map((steps) => account.phone.code(steps)))
  for (let number = 0; ; number++) {
    const code = String(number).padStart(6, '0')
    if (!near.has(code)) return code
  }
}

/** Binds a counter token, as the operator does; gives its codes as `oathtool` computes them. */
export async function giveCounterToken(world: World, username: string): Promise<(counter: number) => string> {
  const key = world.services.entropy(20)
  const token = {
    kind: 'hotp',
    name: 'Token',
    key,
    algorithm: 'sha1',
    digits: 6,
    period: 30,
    counter: 0,
  } as const
  const outcome = await addDevice(world.services, username, token, { operator: 'test' })
  assert.equal(outcome.kind, 'added')
  const hex = Buffer.from(key).toString('hex')
  return (counter) =>
    execFileSync('oathtool', ['--hotp', '-c', String(counter), hex], { encoding: 'utf8' }).trim()
}

export const operator = { operator: 'test' }
