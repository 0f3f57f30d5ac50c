import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { addDevice } from '../../src/actions/add-device.ts'
import { startSession } from '../../src/actions/advance-login.ts'
import { createUser, type NewUser } from '../../src/actions/create-user.ts'
import { encodeBase32 } from '../../src/domain/otp/base32.ts'
import type { UserId } from '../../src/domain/user.ts'
import { cookiesFor } from '../../src/http/cookies.ts'
import { PASSWORD, totp } from '../world.ts'
import type { BrowserWorld } from './browser-world.ts'

const run = promisify(execFile)

/** Length of a time step, in seconds. */
const STEP = 30

/** An authenticator that never gives a code twice. */
export class Authenticator {
  readonly secret: string
  #lastStep = 0

  /** @param secret base32; spaces do not count. */
  constructor(secret: string) {
    this.secret = secret.replaceAll(/\s/g, '')
  }

  /**
   * `oathtool`'s code of this moment; the one of the next time step, which the server takes as well, when this one's
   * was given already.
   *
   * @throws Error when that one was given too: a third code would have to be waited for.
   */
  code(): string {
    const current = Math.floor(Date.now() / 1000 / STEP)
    const step = Math.max(current, this.#lastStep + 1)
    if (step > current + 1) throw new Error('No code is left in this time step: use another authenticator')
    this.#lastStep = step
    return totp(this.secret, step * STEP)
  }

  /** A code of six digits that is none of those that the server takes now or will for some minutes. */
  wrongCode(): string {
    const current = Math.floor(Date.now() / 1000 / STEP)
    const right = Array.from({ length: 20 }, (_, index) => totp(this.secret, (current + index - 3) * STEP))
    return ['000000', '111111', '222222'].find((code) => !right.includes(code)) ?? '333333'
  }
}

/** Somebody with an account. */
export interface Person {
  readonly id: UserId
  readonly username: string
  readonly password: string
}

/** Somebody with an account and an authenticator. */
export interface EnrolledPerson extends Person {
  readonly phone: Authenticator
}

/** Makes an account; the password is `PASSWORD` unless told. */
export async function makePerson(
  world: Pick<BrowserWorld, 'services'>,
  username: string,
  more: Partial<NewUser> = {},
): Promise<Person> {
  const user = {
    ...{ username, displayName: '', isSuperuser: false, password: PASSWORD },
    ...{ mustChangePassword: false, groups: [] },
    ...more,
  }
  const outcome = await createUser(world.services, user, { operator: 'test' })
  if (outcome.kind !== 'created') throw new Error(`${username} was not made: ${outcome.kind}`)
  return { id: outcome.id, username, password: user.password ?? '' }
}

/** Makes an account with an authenticator whose codes are all unused. */
export async function makeEnrolledPerson(
  world: Pick<BrowserWorld, 'services'>,
  username: string,
  more: Partial<NewUser> = {},
): Promise<EnrolledPerson> {
  const person = await makePerson(world, username, more)
  return { ...person, phone: await giveAuthenticator(world, username, 'Phone') }
}

/** Binds one more authenticator; what the person had open ends. */
export async function giveAuthenticator(
  world: Pick<BrowserWorld, 'services'>,
  username: string,
  name: string,
): Promise<Authenticator> {
  const key = world.services.entropy(20)
  const token = { kind: 'totp', name, key, algorithm: 'sha1', digits: 6, period: STEP, counter: 0 } as const
  const outcome = await addDevice(world.services, username, token, { operator: 'test' })
  if (outcome.kind !== 'added') throw new Error(`No authenticator for ${username}: ${outcome.kind}`)
  return new Authenticator(encodeBase32(key))
}

/** Lets this browser hold a session of two factors, as if the person had signed in just now. */
export async function holdSession(
  world: BrowserWorld,
  page: Page,
  person: Pick<Person, 'id'>,
  more: { readonly userAgent?: string; readonly secondsAgo?: number } = {},
): Promise<void> {
  const { services, origin } = world
  const now = services.now() - (more.secondsAgo ?? 0)
  const caller = { address: '127.0.0.1', userAgent: more.userAgent ?? 'test', requestId: 'test' }
  const { sessionToken } = await services.db
    .transaction()
    .execute((tx) => startSession(tx, services, person, { amr: ['pwd', 'otp'], authTime: now, caller, now }))
  const [pair = ''] = cookiesFor(origin).set('session', sessionToken).split(';')
  const [name = '', value = ''] = pair.split('=')
  const attributes = { httpOnly: true, secure: true, sameSite: 'Lax' } as const
  await page.context().addCookies([{ name, value, url: origin, ...attributes }])
}

/** What `zbarimg` reads in a picture of what the page shows. */
export async function readQr(page: Page): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ww-qr-'))
  try {
    const picture = join(folder, 'page.png')
    writeFileSync(picture, await page.screenshot({ fullPage: true }))
    const { stdout } = await run('zbarimg', ['--raw', '--quiet', picture])
    return stdout.trim()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The authenticator that scans this page. */
export async function scan(page: Page): Promise<Authenticator> {
  const secret = new URL(await readQr(page)).searchParams.get('secret')
  if (secret === null) throw new Error('The picture holds no secret')
  return new Authenticator(secret)
}
