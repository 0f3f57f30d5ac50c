import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { beginEnrolment } from '../../src/actions/begin-enrolment.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { showEnrolment } from '../../src/actions/show-enrolment.ts'
import { submitCode } from '../../src/actions/submit-code.ts'
import { submitPassword } from '../../src/actions/submit-password.ts'
import { encodeBase32 } from '../../src/domain/otp/base32.ts'
import type { Token } from '../../src/domain/token.ts'
import { PASSWORD, startWorld, totp, type World } from '../world.ts'
import { caller } from './operations.ts'

describe('an enrolment that was begun', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  async function loginOf(username: string): Promise<Token> {
    const outcome = await submitPassword(world.services, { username, password: PASSWORD }, caller)
    if (outcome.kind !== 'continue') throw new Error(outcome.kind)
    return outcome.loginToken.token
  }

  async function newcomer(): Promise<{ username: string; loginToken: Token }> {
    const username = `new-${world.services.newId()}`
    await world.user(username)
    return { username, loginToken: await loginOf(username) }
  }

  const begin = async (loginToken: Token) => {
    const begun = await beginEnrolment(world.services, { loginToken }, { name: 'Phone', caller })
    if (begun.kind !== 'begun') throw new Error(begun.kind)
    return begun
  }

  it('is shown again as it was, with what is left of its time, after a mistyped code too', async () => {
    const { loginToken } = await newcomer()
    assert.equal((await showEnrolment(world.services, { loginToken })).kind, 'none')
    const begun = await begin(loginToken)
    await submitCode(world.services, { loginToken, code: '000000' }, caller)
    world.clock.advance(60)
    const { kind: _, ...shown } = await showEnrolment(world.services, { loginToken })
    assert.deepEqual(shown, {
      name: 'Phone',
      key: begun.key,
      uri: begun.uri,
      lifetime: begun.lifetime - 60,
    })
  })

  it('is shown to no other login, though it knows the password', async () => {
    const { username, loginToken } = await newcomer()
    await begin(loginToken)
    const other = await loginOf(username)
    assert.equal((await showEnrolment(world.services, { loginToken: other })).kind, 'none')
  })

  it('is not shown once another login began anew', async () => {
    const { username, loginToken } = await newcomer()
    await begin(loginToken)
    await begin(await loginOf(username))
    assert.equal((await showEnrolment(world.services, { loginToken })).kind, 'none')
  })

  it('is never shown after it was confirmed (SEC-OTP-9)', async () => {
    const { loginToken } = await newcomer()
    const { key } = await begin(loginToken)
    const code = totp(encodeBase32(key), world.clock.now())
    assert.equal((await submitCode(world.services, { loginToken, code }, caller)).kind, 'signed-in')
    assert.equal((await showEnrolment(world.services, { loginToken })).kind, 'not-awaited')
  })

  it('is not shown when it is over, nor when the login is', async () => {
    const { loginToken } = await newcomer()
    await begin(loginToken)
    world.clock.advance(world.config.login.lifetime)
    assert.equal((await showEnrolment(world.services, { loginToken })).kind, 'not-awaited')
  })

  it('is shown to the session that began it while its proof is fresh, and to no other', async () => {
    const { browser, username, phone } = await world.enrolled('owner')
    const held = async (from: typeof browser) => {
      const token = from.cookies.get('__Host-watchword-session') as Token // Set by the server itself.
      const session = await resumeSession(world.services, token)
      if (session === undefined) throw new Error('no session')
      return { session }
    }
    const elsewhere = world.browser()
    await elsewhere.post('/auth/authenticate/', { username, password: PASSWORD, otp: phone.code() })
    const begun = await beginEnrolment(world.services, await held(browser), { name: 'Second', caller })
    const shown = await showEnrolment(world.services, await held(browser))
    assert.equal(shown.kind === 'pending' && shown.uri, begun.kind === 'begun' && begun.uri)
    assert.equal((await showEnrolment(world.services, await held(elsewhere))).kind, 'none')
    world.clock.advance(world.config.session.freshFor)
    assert.equal((await showEnrolment(world.services, await held(browser))).kind, 'stale')
  })
})
