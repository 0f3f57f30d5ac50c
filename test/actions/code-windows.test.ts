import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { acceptInvitation } from '../../src/actions/accept-invitation.ts'
import { addDevice } from '../../src/actions/add-device.ts'
import { authenticate } from '../../src/actions/authenticate.ts'
import { type AuthorizeOutcome, authorizeRequest } from '../../src/actions/authorize-request.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { changePassword } from '../../src/actions/change-password.ts'
import { confirmEnrolment } from '../../src/actions/confirm-enrolment.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { endCodeWindow, endCodeWindowOf } from '../../src/actions/end-code-window.ts'
import { endOtherSessions } from '../../src/actions/end-other-sessions.ts'
import { endSessionsOf } from '../../src/actions/end-sessions-of.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { openCodeWindowOnce } from '../../src/actions/open-code-window.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { removeDevice } from '../../src/actions/remove-device.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { signOut } from '../../src/actions/sign-out.ts'
import { submitCode } from '../../src/actions/submit-code.ts'
import type { CredentialHash } from '../../src/domain/code-window.ts'
import { HashQueueTimeout } from '../../src/domain/faults.ts'
import { totpCode } from '../../src/domain/otp/totp.ts'
import type { SessionWithUser } from '../../src/domain/session.ts'
import type { Services } from '../../src/services.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import type { World } from '../world.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { caller, isDone, operations } from './operations.ts'
import { makePerson, NEW_PASSWORDS, OLD_PASSWORD, type Person } from './person.ts'
import { interleave } from './steps.ts'

after(closeEngines)

const by = { operator: 'test' }
const HOST = 'https://svn.example.net'

type OwnPolicies = World['config']['policies']

const policy: OwnPolicies[string] = {
  ...{
    groups: [],
    users: [],
    networks: [],
    assertion: false,
    lease: 0,
    proof: 'two-factor',
    within: undefined,
  },
  access: ['session', 'app-password', 'password-code'],
}
const policies: OwnPolicies = {
  dav: policy,
  svn: { ...policy, codeWindow: 600 },
  short: { ...policy, within: 120, access: ['session', 'password-code'] },
  browsers: { ...policy, access: ['session'] },
  inside: { ...policy, networks: [{ family: 'ipv4', address: '10.0.0.0', prefix: 8 }] },
}

interface Shown {
  readonly username?: string
  readonly password?: string
  readonly policy?: string
  readonly address?: string
}

let programs = 0

/**
 * A program of a person at an address that nobody else has, which shows their password and the code of the phone unless
 * something else is said.
 */
const programOf = (services: Services, person: Person, at?: string) => {
  programs++
  const own = at ?? `100.${64 + (programs >> 8)}.${programs & 255}.7`
  const credential = `${OLD_PASSWORD}${person.code('phone')}`
  const show = (shown: Shown = {}): Promise<AuthorizeOutcome> => {
    const { username = person.username, password = credential, policy: name = 'dav', address = own } = shown
    const credentials = { username, password }
    return authorizeRequest(services, {
      policy: name,
      host: HOST,
      address,
      siteToken: undefined,
      credentials,
    })
  }
  return { credential, show, address: own }
}

async function heldBy(services: Services, { sessionTokens }: Person): Promise<SessionWithUser> {
  const held = await resumeSession(services, sessionTokens[0])
  assert.ok(held)
  return held
}

/** Why it was refused, or that it was not. */
async function reasonOf(asked: Promise<AuthorizeOutcome>): Promise<string> {
  const outcome = await asked
  if (outcome.kind === 'allow' || outcome.kind === 'busy') return outcome.kind
  return outcome.refused?.reason ?? outcome.why
}

/** Does something before each password is compared. */
function withVerify(services: Services, before: () => Promise<void>): Services {
  const { hasher } = services
  const enter: Services['hasher']['enter'] = () => {
    const turn = hasher.enter()
    return (
      turn && {
        hash: (password) => turn.hash(password),
        async verify(...asked) {
          await before()
          return turn.verify(...asked)
        },
        [Symbol.dispose]: () => turn[Symbol.dispose](),
      }
    )
  }
  return { ...services, hasher: { ...hasher, enter } }
}

/** Counts the passwords that are compared. */
function counted(services: Services): { services: Services; hashes: () => number } {
  let hashes = 0
  const counting = withVerify(services, async () => {
    hashes++
  })
  return { services: counting, hashes: () => hashes }
}

const events = async ({ db }: Services, { id }: Person, name: string) =>
  (
    await db
      .selectFrom('audit_event')
      .selectAll()
      .where('user_id', '=', id)
      .where('event', '=', name)
      .orderBy('id')
      .execute()
  ).map(({ fields, ...row }) => ({ ...row, fields: JSON.parse(fields) as Record<string, unknown> }))

/** What is charged to anybody. */
const charges = async ({ db }: Services) =>
  JSON.stringify(await db.selectFrom('attempts').selectAll().where('count', '>', 0).orderBy('key').execute())

const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))

const signIn = (services: Services, { username }: Person, code: string) =>
  authenticate(services, { username, password: OLD_PASSWORD, code, uniform: true }, caller)

for (const engine of [sqlite, postgres]) {
  describe(`a password and code in one field, on ${engine.name}`, () => {
    const config = { password: { hashQueue: 1024, hashDeadline: 60 }, policies }
    const stage = stageFor(engine, { config })

    it('sign in by two factors, and then open without a hash until the time is over', async () => {
      const { world } = stage()
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const { show, address: own } = programOf(services, person)
      const first = await show({ policy: 'svn', username: person.username.toUpperCase() })
      assert.deepEqual(first, {
        ...{ kind: 'allow', by: 'password-code', amr: ['pwd', 'otp'], groups: [] },
        ...{ userId: person.id, username: person.username, authTime: world.clock.now() },
      })
      const afterFirst = hashes()
      assert.equal(afterFirst, 1)
      const now = world.clock.now()
      world.clock.set(now + 599)
      assert.equal(await reasonOf(show({ policy: 'svn' })), 'allow')
      const [window, ...others] = await codeWindows.listOpen(services.db, person.id, now + 599)
      assert.deepEqual(others, [])
      assert.deepEqual(
        [window?.policy, window?.host, window?.address, window?.createdAt, window?.expiresAt],
        ['svn', HOST, own, now, now + 600],
      )
      assert.equal(window?.lastUsedAt, now + 599)
      world.clock.set(now + 600)
      assert.equal(await reasonOf(show({ policy: 'svn' })), 'expired')
      world.clock.set(now)
      assert.equal(hashes(), afterFirst)
      const [opened, ...more] = await events(services, person, 'code-window-opened')
      assert.deepEqual(more, [])
      assert.deepEqual([opened?.address, opened?.actor_kind, opened?.fields.policy], [own, 'user', 'svn'])
      assert.ok(
        !JSON.stringify(await services.db.selectFrom('code_window').selectAll().execute()).includes(
          OLD_PASSWORD,
        ),
      )
    })

    it('open one window for sixteen requests at once, by one hash and one code (SEC-OTP-2, FT-RACE-1)', async () => {
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      const outcomes = await times(16, () => reasonOf(show()))
      assert.deepEqual(new Set(outcomes), new Set(['allow']))
      assert.equal(hashes(), 1)
      assert.equal((await events(services, person, 'code-window-opened')).length, 1)
      assert.equal((await codeWindows.listOpen(services.db, person.id, services.now())).length, 1)
      assert.equal((await signIn(services, person, person.code('phone'))).kind, 'wrong-code')
    })

    it('cost no second hash where somebody looked just before the window was there (SEC-OTP-2, FT-RACE-1)', async () => {
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const { credential, show, address } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      const { username } = person
      const credentialHash = services.sealer.keyedHash('code-window', JSON.stringify([username, credential]))
      const dav = services.policy.accessPolicy('dav')
      assert.ok(dav)
      const late = await openCodeWindowOnce(services, {
        ...{
          username,
          credential,
          credentialHash: credentialHash as CredentialHash,
          policy: dav,
          host: HOST,
        },
        caller: { ...caller, address },
      })
      assert.equal(late.kind, 'opened')
      assert.equal(hashes(), 1)
    })

    it('open one window also for requests of two servers at once (SEC-OTP-2)', async () => {
      const here = stage().services
      const there = { ...here, hasher: { ...here.hasher } }
      const person = await makePerson(here, 'enrolled')
      const one = programOf(here, person)
      const two = programOf(there, person, one.address)
      const outcomes = await times(16, (index) => reasonOf((index % 2 === 0 ? one : two).show()))
      assert.deepEqual(new Set(outcomes), new Set(['allow']))
      assert.equal((await events(here, person, 'code-window-opened')).length, 1)
    })

    it('open from one address: of two that bring them at once, one comes in (SEC-OTP-2)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      const addresses = ['198.51.100.7', '203.0.113.9']
      const outcomes = await Promise.all(addresses.map((address) => reasonOf(show({ address }))))
      assert.deepEqual(outcomes.toSorted(), ['allow', 'other-address'])
    })

    it('spend the code for every other way, and a code spent elsewhere opens nothing here (SEC-OTP-2, SEC-AUTH-4)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      assert.equal((await signIn(services, person, person.code('phone'))).kind, 'wrong-code')
      assert.equal((await signIn(services, person, person.code('token'))).kind, 'signed-in')
      assert.equal(await reasonOf(show({ password: `${OLD_PASSWORD}${person.code('token')}` })), 'refused')
    })

    it('open nothing from another address, for another policy, or by another name; that is written down once a minute', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      const other = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      const before = await charges(services)
      for (let count = 0; count < 8; count++) {
        assert.equal(await reasonOf(show({ address: '203.0.113.9' })), 'other-address')
        assert.equal(await reasonOf(show({ policy: 'svn' })), 'other-policy')
      }
      assert.equal(await charges(services), before)
      assert.equal(await reasonOf(show({ policy: 'browsers' })), 'nobody')
      assert.equal(await reasonOf(show({ policy: 'inside' })), 'address-outside')
      assert.equal(await reasonOf(show({ policy: 'two-factor' })), 'no-app-password')
      const refused = await events(services, person, 'code-window-refused')
      assert.deepEqual(
        refused.map(({ outcome, address, fields }) => [outcome, address, fields.reason, fields.policy]),
        [['failure', '203.0.113.9', 'other-address', 'dav']],
      )
      world.clock.advance(60)
      assert.equal(await reasonOf(show({ policy: 'svn' })), 'other-policy')
      assert.equal((await events(services, person, 'code-window-refused')).length, 2)
      assert.equal(await reasonOf(show({ username: other.username })), 'refused')
      world.clock.advance(-60)
    })

    it('are charged as a sign-in when they are wrong, and wait like one (SEC-RATE-6, FT-RACE-3)', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      const outcomes: string[] = []
      for (let count = 0; count < 7; count++) {
        outcomes.push(
          await reasonOf(show({ password: `${OLD_PASSWORD}00000${count}`, address: '192.0.2.1' })),
        )
      }
      assert.deepEqual(outcomes, [...Array(5).fill('refused'), 'throttled', 'throttled'])
      assert.equal((await events(services, person, 'code-refused')).length, 5)
      assert.equal((await signIn(services, person, person.code('phone'))).kind, 'throttled')
      assert.equal(await reasonOf(show()), 'throttled')
      const wrong = await makePerson(services, 'enrolled')
      const guesser = programOf(services, wrong)
      const guesses = await times(32, (index) =>
        reasonOf(guesser.show({ password: `guess ${index} of it 123456`, address: `192.0.2.${index}` })),
      )
      assert.equal(guesses.filter((reason) => reason === 'refused').length, 5)
      assert.equal((await events(services, wrong, 'password-refused')).length, 5)
      world.clock.advance(3600)
      assert.equal((await signIn(services, wrong, 'xxxxxx')).kind, 'wrong-code')
      world.clock.advance(-3600)
    })

    it('that are stale cost no hash and no charge, so that no drive locks its owner out (SEC-RATE-5)', async () => {
      const { world } = stage()
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const { show, address: own } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      const now = world.clock.now()
      world.clock.set(now + 9 * 3600)
      const [before, hashed] = [await charges(services), hashes()]
      for (let count = 0; count < 1000; count++) {
        const address = count % 2 === 0 ? own : '203.0.113.9'
        assert.equal(await reasonOf(show({ address })), 'expired')
      }
      assert.equal(await charges(services), before)
      assert.equal(hashes(), hashed)
      assert.equal(
        (await otpDevices.listConfirmed(services.db, person.id)).filter(({ disabled }) => disabled).length,
        0,
      )
      world.clock.set(now)
      assert.equal((await signIn(services, person, person.code('token'))).kind, 'signed-in')
      // Nor those of a window that was ended, after a month and another sign-in.
      await codeWindows.endAll(services.db, person.id, now)
      assert.equal(await reasonOf(show()), 'ended')
      world.clock.set(now + 8 * 3600 + 30 * 86_400 - 1)
      await purgeExpired(services)
      assert.equal(await reasonOf(show()), 'ended')
      world.clock.advance(1)
      await purgeExpired(services)
      assert.equal(await codeWindows.findOwner(services.db, person.id), undefined)
      assert.equal(
        (await services.db.selectFrom('code_window').select('id').where('user_id', '=', person.id).execute())
          .length,
        0,
      )
      world.clock.set(now)
    })

    it('are needed whole: the bare password, a recovery code and a code alone open nothing (SEC-AUTH-4, L-04)', async () => {
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      const before = await charges(services)
      const texts = [
        OLD_PASSWORD,
        '',
        '12345',
        person.code('phone'),
        `${OLD_PASSWORD} ${person.code('phone').slice(1)}`,
      ]
      for (const password of texts) assert.equal(await reasonOf(show({ password })), 'no-code', password)
      assert.equal(await reasonOf(show({ password: `${'x'.repeat(2000)}123456` })), 'no-code')
      assert.equal(
        await reasonOf(show({ password: `${OLD_PASSWORD}${person.recoveryCodes[0]}x` })),
        'no-code',
      )
      assert.equal(await reasonOf(show({ password: 'wwp_00000-00000-00000-00000-00000' })), 'unknown')
      assert.equal(hashes(), 0)
      assert.equal(await charges(services), before)
      const separated = `${OLD_PASSWORD} ${person.code('phone')}`
      assert.equal(await reasonOf(show({ password: separated })), 'refused')
    })

    it('are read by the length of a device’s codes, whatever digits end the password', async () => {
      const { services, hashes } = counted(stage().services)
      const person = await makePerson(services, 'enrolled')
      const password = 'a password that ends in 2026'
      assert.equal(
        (await setPassword(services, { username: person.username, password, mustChange: false }, by)).kind,
        'changed',
      )
      const key = services.entropy(20)
      const token = {
        kind: 'totp',
        name: 'eight',
        algorithm: 'sha256',
        digits: 8,
        period: 30,
        counter: 0,
      } as const
      assert.equal((await addDevice(services, person.username, { ...token, key }, by)).kind, 'added')
      const eight = totpCode(key, Math.floor(services.now() / 30), { algorithm: 'sha256', digits: 8 })
      const { show } = programOf(services, person)
      const before = hashes()
      assert.equal(await reasonOf(show({ password: `${password}${eight}` })), 'allow')
      assert.equal(await reasonOf(show({ password: `${password}${person.code('phone')}` })), 'allow')
      // As many for every text that ends in eight digits, whoever is named.
      assert.equal(hashes() - before, 4)
      assert.equal(await reasonOf(show({ username: 'nobody-at-all', password: 'x12345678' })), 'refused')
      assert.equal(hashes() - before, 6)
    })

    it('open nothing where a page is due first: a second factor, or a new password (SEC-PW-8)', async () => {
      const { services, hashes } = counted(stage().services)
      const newcomer = await makePerson(services, 'newcomer')
      const shown = programOf(services, newcomer)
      assert.equal(
        await reasonOf(shown.show({ password: `${OLD_PASSWORD}${newcomer.code('tablet')}` })),
        'incomplete',
      )
      assert.equal((await otpDevices.listConfirmed(services.db, newcomer.id)).length, 0)
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      const set = await setPassword(
        services,
        { username: person.username, password: NEW_PASSWORDS[0], mustChange: true },
        by,
      )
      assert.equal(set.kind, 'changed')
      const password = `${NEW_PASSWORDS[0]}${person.code('phone')}`
      assert.equal(await reasonOf(show({ password })), 'ended')
      const before = hashes()
      assert.equal(await reasonOf(show({ password })), 'ended')
      assert.equal(hashes(), before)
      assert.equal((await codeWindows.listOpen(services.db, person.id, services.now())).length, 0)
      const again = { username: person.username, password: NEW_PASSWORDS[0], code: person.code('phone') }
      assert.equal((await authenticate(services, { ...again, uniform: true }, caller)).kind, 'wrong-code')
    })

    it('are refused from the next request on when the user is disabled, and do not come back (SEC-AUTH-19)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      assert.equal((await disableUser(services, person.username, by)).kind, 'disabled')
      assert.equal(await reasonOf(show()), 'disabled')
      assert.equal(await reasonOf(show({ password: `${OLD_PASSWORD}${person.code('token')}` })), 'refused')
    })

    it('count only as long as the policy takes a proof for, and what it says now (SEC-SES-15)', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      const { show, address: own } = programOf(services, person)
      assert.equal(await reasonOf(show({ policy: 'short' })), 'allow')
      const now = world.clock.now()
      const [window] = await codeWindows.listOpen(services.db, person.id, now)
      assert.equal(window?.expiresAt, now + 120)
      world.clock.set(now + 120)
      assert.equal(await reasonOf(show({ policy: 'short' })), 'expired')
      world.clock.set(now)
      const token = `${OLD_PASSWORD}${person.code('token')}`
      assert.equal(await reasonOf(show({ password: token })), 'allow')
      const accessPolicy: Services['policy']['accessPolicy'] = (name) => {
        const found = services.policy.accessPolicy(name)
        return found && { ...found, codeWindow: 60, groups: [person.group] }
      }
      const stricter = { ...services, policy: { ...services.policy, accessPolicy } }
      const later = programOf(stricter, person, own)
      assert.equal(await reasonOf(later.show({ password: token })), 'not-listed')
      await changeGroup(services, { kind: 'add', group: person.group, who: person.username }, by)
      assert.equal(await reasonOf(later.show({ password: token })), 'allow')
      world.clock.set(now + 60)
      assert.equal(await reasonOf(later.show({ password: token })), 'expired')
      assert.equal(await reasonOf(show({ password: token })), 'allow')
      world.clock.set(now)
      await changeGroup(services, { kind: 'remove', group: person.group, who: person.username }, by)
      assert.equal(await reasonOf(later.show({ password: token })), 'not-listed')
    })

    it('leave a policy that takes app passwords as well to both', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const wanted = { name: 'dav', policies: ['dav'], days: 30 }
      const made = await makeAppPasswordFor(services, person.username, { wanted, by })
      assert.ok(made.kind === 'made')
      const { show } = programOf(services, person)
      const outcome = await show({ password: made.appPassword })
      assert.ok(outcome.kind === 'allow' && outcome.by === 'app-password')
      assert.equal(await reasonOf(show()), 'allow')
    })

    it('spend and charge nothing while the queue for passwords is full (SEC-PW-16)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const full = { ...services, hasher: { ...services.hasher, enter: () => undefined } }
      const before = await charges(services)
      assert.equal(await reasonOf(programOf(full, person).show()), 'busy')
      assert.equal(await charges(services), before)
      assert.equal(await reasonOf(programOf(services, person).show()), 'allow')
    })

    it('spend and charge nothing where the turn to hash does not come (SEC-PW-16)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const slow = withVerify(services, () => Promise.reject(new HashQueueTimeout('too slow')))
      const { show, address } = programOf(slow, person)
      const before = await charges(services)
      const asked = await Promise.allSettled(Array.from({ length: 4 }, () => show()))
      assert.deepEqual(
        asked.map(({ status }) => status),
        Array(4).fill('rejected'),
      )
      assert.equal(await charges(services), before)
      assert.equal(await reasonOf(programOf(services, person, address).show()), 'allow')
    })

    it('go on when Apache waits no longer, and the next request finds what they opened (SEC-FCGI-7)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const turn = Promise.withResolvers<void>()
      const { services: watched, hashes } = counted(services)
      const slow = withVerify(watched, () => turn.promise)
      const { show } = programOf(slow, person)
      const givenUp = show()
      const next = show()
      turn.resolve()
      assert.equal(await reasonOf(next), 'allow')
      assert.equal((await givenUp).kind, 'allow')
      assert.equal(hashes(), 1)
      assert.equal((await events(services, person, 'code-window-opened')).length, 1)
    })

    it('end with whatever ends the sessions of their user, and stay ended (SEC-SES-8, SEC-SES-9)', async () => {
      const { services } = stage()
      const admin = await makeAdmin(services)
      const endings: Readonly<Record<string, (person: Person) => Promise<{ readonly kind: string }>>> = {
        'the other sessions': async (person) =>
          endOtherSessions(services, await heldBy(services, person), caller),
        'all, by an administrator': (person) => endSessionsOf(services, { userId: person.id }, admin),
        'a change of the password': async (person) => {
          const change = { current: OLD_PASSWORD, next: NEW_PASSWORDS[0], keepAppPasswords: true, caller }
          return changePassword(services, await heldBy(services, person), change)
        },
        'a password set by the operator': ({ username }) =>
          setPassword(services, { username, password: NEW_PASSWORDS[1], mustChange: false }, by),
        'an invitation': ({ invitation }) =>
          acceptInvitation(services, { code: invitation, password: NEW_PASSWORDS[0] }, caller),
        'another authenticator': async (person) =>
          confirmEnrolment(services, await heldBy(services, person), { code: person.code('tablet'), caller }),
        'one authenticator less': async (person) =>
          removeDevice(services, await heldBy(services, person), {
            id: person.devices.get('token') ?? '',
            caller,
          }),
        'a reset of the second factor': ({ username }) => resetSecondFactor(services, username, by),
        'a recovery code': ({ loginTokens, recoveryCodes }) =>
          submitCode(services, { loginToken: loginTokens[0], code: recoveryCodes[0] }, caller),
        'its owner, on the page': async (person) => {
          const [window] = await codeWindows.listOpen(services.db, person.id, services.now())
          return endCodeWindow(services, await heldBy(services, person), { id: window?.id ?? '', caller })
        },
        'the operator': async (person) => {
          const [window] = await codeWindows.listOpen(services.db, person.id, services.now())
          return endCodeWindowOf(services, window?.id ?? '', by)
        },
      }
      for (const [what, ending] of Object.entries(endings)) {
        const person = await makePerson(services, 'enrolled')
        const { show } = programOf(services, person)
        assert.equal(await reasonOf(show()), 'allow', what)
        assert.ok(isDone(await ending(person)), what)
        assert.equal(await reasonOf(show()), 'ended', what)
        assert.deepEqual(await codeWindows.listOpen(services.db, person.id, services.now()), [], what)
      }
      const person = await makePerson(services, 'enrolled')
      const { show } = programOf(services, person)
      assert.equal(await reasonOf(show()), 'allow')
      const { sessionTokens, loginTokens } = person
      await signOut(services, { sessionToken: sessionTokens[0], loginToken: loginTokens[0] }, caller)
      assert.equal(await reasonOf(show()), 'allow')
    })

    it('are ended by their owner and by administrators alone, once, and that is written down (SEC-AZ-2)', async () => {
      const { services } = stage()
      const [person, other] = [await makePerson(services, 'enrolled'), await makePerson(services, 'enrolled')]
      const { show } = programOf(services, person)
      await show()
      const [window] = await codeWindows.listOpen(services.db, person.id, services.now())
      const id = window?.id ?? ''
      const end = async (whose: Person) =>
        endCodeWindow(services, await heldBy(services, whose), { id, caller })
      assert.equal((await end(other)).kind, 'not-found')
      assert.equal(await reasonOf(show()), 'allow')
      const ended = await times(8, () => end(person))
      assert.equal(ended.filter(({ kind }) => kind === 'ended').length, 1)
      assert.equal((await endCodeWindowOf(services, id, by)).kind, 'not-found')
      assert.equal((await endCodeWindowOf(services, 'nothing', by)).kind, 'not-found')
      const [event, ...more] = await events(services, person, 'code-window-ended')
      assert.deepEqual([event?.fields, more], [{ codeWindowId: id, policy: 'dav' }, []])
    })

    const meanwhile = [
      'operator: disable',
      'change the password',
      'end the other sessions',
      'code of one login',
    ] as const
    for (const name of meanwhile) {
      it(`and "${name}" at the same moment end as if one came after the other (FT-RACE-4)`, async () => {
        const { services, isWaiting, stops } = stage()
        for (const isFirst of [true, false]) {
          for (let pauseAt = 0; ; pauseAt++) {
            const person = await makePerson(services, 'enrolled')
            const { show } = programOf(services, person)
            const other = () => operations[name](services, person)
            const [first, second] = isFirst ? [show, other] : [other, show]
            const done = await interleave(pauseAt, {
              first: () => first(),
              second: () => second(),
              isWaiting,
              stops,
            })
            if (done === undefined) break
            const kinds = done.map((each) =>
              each.status === 'fulfilled' ? each.value.kind : String(each.reason),
            )
            const [shown = '', did = ''] = isFirst ? kinds : kinds.toReversed()
            const where = `${kinds} stopped at ${pauseAt}`
            const open = await codeWindows.listOpen(services.db, person.id, services.now())
            assert.ok(shown === 'allow' || shown === 'sign-in', where)
            assert.equal((await reasonOf(show())) === 'allow', open.length === 1, where)
            if (name === 'code of one login') {
              assert.deepEqual([shown === 'allow', did === 'signed-in'].toSorted(), [false, true], where)
            } else {
              assert.ok(isDone({ kind: did }), where)
              // Ending sessions leaves what was opened after it; the others move the epoch.
              if (name !== 'end the other sessions') assert.deepEqual(open, [], where)
            }
          }
        }
      })
    }

    it('are at most twenty a user: one more ends the oldest', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      const now = world.clock.now()
      const [device] = await otpDevices.listConfirmed(services.db, person.id)
      assert.ok(device)
      const key = services.sealer.open(device.sealedKey, {
        ...{ purpose: 'otp-key', userId: person.id, deviceId: device.id },
      })
      const credentials: string[] = []
      const { show } = programOf(services, person)
      for (let step = 0; step < 21; step++) {
        world.clock.set(now + 30 * step)
        const parameters = { algorithm: 'sha1', digits: 6 } as const
        const code = totpCode(key, Math.floor(services.now() / 30), parameters)
        credentials.push(`${OLD_PASSWORD}${code}`)
        assert.equal(await reasonOf(show({ password: credentials.at(-1) ?? '' })), 'allow')
      }
      assert.equal((await codeWindows.listOpen(services.db, person.id, services.now())).length, 20)
      assert.equal(await reasonOf(show({ password: credentials[0] ?? '' })), 'ended')
      assert.equal(await reasonOf(show({ password: credentials[1] ?? '' })), 'allow')
      world.clock.set(now)
    })
  })
}
