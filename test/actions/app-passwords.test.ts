import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { acceptInvitation } from '../../src/actions/accept-invitation.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { changePassword } from '../../src/actions/change-password.ts'
import { confirmEnrolment } from '../../src/actions/confirm-enrolment.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { endOtherSessions } from '../../src/actions/end-other-sessions.ts'
import { makeAppPassword, makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { revokeAppPassword, revokeAppPasswordOf } from '../../src/actions/revoke-app-password.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { submitCode } from '../../src/actions/submit-code.ts'
import { type BasicCredentials, useAppPassword } from '../../src/actions/use-app-password.ts'
import type { SessionWithUser } from '../../src/domain/session.ts'
import type { Services } from '../../src/services.ts'
import * as appPasswords from '../../src/store/app-passwords.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { caller } from './operations.ts'
import { makePerson, NEW_PASSWORDS, OLD_PASSWORD, type Person } from './person.ts'
import { interleave } from './steps.ts'

after(closeEngines)

const by = { operator: 'test' }
const wanted = { name: 'git', policies: ['two-factor'], days: 30 }

async function heldBy(services: Services, { sessionTokens }: Person): Promise<SessionWithUser> {
  const held = await resumeSession(services, sessionTokens[0])
  assert.ok(held)
  return held
}

const make = async (services: Services, person: Person) =>
  makeAppPassword(services, await heldBy(services, person), { wanted, caller })

/** A person with an app password that works. */
async function equipped(services: Services, kind: 'enrolled' | 'newcomer' = 'enrolled') {
  const person = await makePerson(services, kind)
  const made = await makeAppPasswordFor(services, person.username, { wanted, by })
  assert.equal(made.kind, 'made')
  const use = (more: Partial<BasicCredentials> = {}) =>
    useAppPassword(services, {
      ...{ username: person.username, password: made.appPassword, policy: 'two-factor' },
      ...{ address: '198.51.100.7', ...more },
    })
  assert.equal((await use()).kind, 'allowed')
  return { person, made, use }
}

const events = async ({ db }: Services, userId: string, name: string) =>
  (
    await db
      .selectFrom('audit_event')
      .selectAll()
      .where('user_id', '=', userId)
      .where('event', '=', name)
      .orderBy('id')
      .execute()
  ).map(({ fields, ...row }) => ({ ...row, fields: JSON.parse(fields) as Record<string, unknown> }))

const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))

for (const engine of [sqlite, postgres]) {
  describe(`app passwords, on ${engine.name}`, () => {
    const stage = stageFor(engine, { config: { password: { hashQueue: 1024, hashDeadline: 60 } } })

    it('let a program in by any spelling of the name, with user and groups as they are now', async () => {
      const { services, world } = stage()
      const { person, made, use } = await equipped(services)
      await changeGroup(services, { kind: 'add', group: person.group, who: person.username }, by)
      const outcome = await use({ username: person.username.toUpperCase() })
      assert.ok(outcome.kind === 'allowed')
      const { user, groups, appPassword } = outcome
      assert.deepEqual([user.id, groups, appPassword.id], [person.id, [person.group], made.id])
      const [owned] = await appPasswords.listOf(services.db, person.id)
      assert.deepEqual([owned?.lastUsedAt, owned?.lastUsedAddress], [world.clock.now(), '198.51.100.7'])
    })

    it('are the only password here: that of the person is refused without a look (SEC-AUTH-4)', async () => {
      const { services } = stage()
      const { person, use } = await equipped(services)
      const codes = [person.code('phone'), `${OLD_PASSWORD}${person.code('phone')}`, person.recoveryCodes[0]]
      const counting = countingSelects(services)
      for (const password of [OLD_PASSWORD, ...codes, '', person.sessionTokens[0]]) {
        assert.deepEqual(await use({ password }), { kind: 'refused', reason: 'no-app-password' })
        const { username } = person
        const asked = { username, password, policy: 'two-factor', address: '' }
        await useAppPassword(counting.services, asked)
      }
      assert.equal(counting.count(), 0)
    })

    it('are refused for another name, another policy, one that takes none, and after their end', async () => {
      const { services, world } = stage()
      const { person, use } = await equipped(services)
      const other = await makePerson(services, 'enrolled')
      const reasonOf = async (more: Partial<BasicCredentials>) => {
        const outcome = await use(more)
        return outcome.kind === 'refused' ? outcome.reason : outcome.kind
      }
      assert.equal(await reasonOf({ username: other.username }), 'other-user')
      assert.equal(await reasonOf({ username: '' }), 'other-user')
      for (const policy of ['password', 'two-factor-recent', 'no-such-policy', '', 'two-factor ']) {
        assert.equal(await reasonOf({ policy }), 'other-policy', policy)
      }
      assert.equal(await reasonOf({ password: 'wwp_00000-00000-00000-00000-00000' }), 'unknown')
      const now = world.clock.now()
      world.clock.set(now + 30 * 86_400 - 1)
      assert.equal(await reasonOf({}), 'allowed')
      world.clock.advance(1)
      assert.equal(await reasonOf({}), 'expired')
      world.clock.set(now)
      assert.equal((await events(services, person.id, 'app-password-refused')).length, 2)
    })

    it('write a refusal down once a minute a user, however many come, and nothing for what nobody made (SEC-LOG-1)', async () => {
      const { services, world } = stage()
      const { person, made, use } = await equipped(services)
      const before = await services.db.selectFrom('audit_event').select('id').execute()
      await times(64, (index) => use({ policy: 'password', address: `198.51.100.${index}` }))
      const [event, ...others] = await events(services, person.id, 'app-password-refused')
      assert.deepEqual(others, [])
      assert.deepEqual(
        [event?.outcome, event?.actor_kind, event?.fields],
        [
          'failure',
          'anonymous',
          { appPasswordId: made.id, name: 'git', reason: 'other-policy', policy: 'password' },
        ],
      )
      world.clock.advance(59)
      await use({ policy: 'password' })
      assert.equal((await events(services, person.id, 'app-password-refused')).length, 1)
      world.clock.advance(1)
      await use({ policy: 'password' })
      assert.equal((await events(services, person.id, 'app-password-refused')).length, 2)
      await use({ password: 'wwp_00000-00000-00000-00000-00000' })
      const after = await services.db.selectFrom('audit_event').select('id').execute()
      assert.equal(after.length, before.length + 2)
    })

    it('are never more than twenty, though many are made at once', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      await times(15, () => makeAppPasswordFor(services, person.username, { wanted, by }))
      const outcomes = await times(20, () => make(services, person))
      assert.equal(outcomes.filter(({ kind }) => kind === 'made').length, 5)
      assert.equal(outcomes.filter(({ kind }) => kind === 'too-many').length, 15)
      assert.equal(await appPasswords.count(services.db, person.id), 20)
      assert.equal((await events(services, person.id, 'app-password-made')).length, 20)
    })

    it('are revoked once though many revoke, and refused from the next request on (SEC-AZ-4)', async () => {
      const { services } = stage()
      const { person, made, use } = await equipped(services)
      const held = await heldBy(services, person)
      const outcomes = await times(8, () => revokeAppPassword(services, held, { id: made.id, caller }))
      assert.equal(outcomes.filter(({ kind }) => kind === 'revoked').length, 1)
      assert.deepEqual(await use(), { kind: 'refused', reason: 'unknown' })
      assert.equal((await events(services, person.id, 'app-password-revoked')).length, 1)
    })

    it('of somebody else are as absent as those that nobody made (SEC-AZ-2)', async () => {
      const { services } = stage()
      const { made, use } = await equipped(services)
      const stranger = await heldBy(services, await makePerson(services, 'enrolled'))
      const outcome = await revokeAppPassword(services, stranger, { id: made.id, caller })
      assert.equal(outcome.kind, 'not-found')
      assert.equal((await use()).kind, 'allowed')
    })

    it('are revoked by administrators and the operator, whosever they are', async () => {
      const { services } = stage()
      const { id: _, ...admin } = await makeAdmin(services)
      for (const who of [admin, by]) {
        const { made, use } = await equipped(services)
        assert.equal((await revokeAppPasswordOf(services, made.id, who)).kind, 'revoked')
        assert.equal((await revokeAppPasswordOf(services, made.id, who)).kind, 'not-found')
        assert.equal((await use()).kind, 'refused')
      }
    })

    it('are made with a fresh proof of all factors only, for policies that take them (SEC-AUTH-10)', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      const held = await heldBy(services, person)
      const tried = async (more: Partial<typeof wanted>) =>
        (await makeAppPassword(services, held, { wanted: { ...wanted, ...more }, caller })).kind
      assert.equal(await tried({ name: ' ' }), 'unsuitable-name')
      assert.equal(await tried({ name: 'a\u202eb' }), 'unsuitable-name')
      assert.equal(await tried({ policies: [] }), 'unsuitable-policy')
      assert.equal(await tried({ policies: ['two-factor', 'two-factor-recent'] }), 'unsuitable-policy')
      assert.equal(await tried({ policies: ['no-such-policy'] }), 'unsuitable-policy')
      assert.equal(await tried({ days: 366 }), 'unsuitable-lifetime')
      assert.equal(await tried({ days: 0 }), 'unsuitable-lifetime')
      const oneFactor = { ...held, session: { ...held.session, amr: ['pwd'] as const } }
      assert.equal((await makeAppPassword(services, oneFactor, { wanted, caller })).kind, 'stale')
      world.clock.advance(300)
      assert.equal(await tried({}), 'stale')
      world.clock.advance(-300)
      assert.equal(await tried({}), 'made')
    })

    it('of a disabled user are not made, and none comes back with enabling (SEC-SES-8)', async () => {
      const { services } = stage()
      const { person, use } = await equipped(services)
      await disableUser(services, person.username, by)
      assert.equal((await use()).kind, 'refused')
      const made = await makeAppPasswordFor(services, person.username, { wanted, by })
      assert.equal(made.kind, 'disabled')
      await enableUser(services, person.username, by)
      assert.equal((await use()).kind, 'refused')
    })

    const next = NEW_PASSWORDS[0]
    type Act = (services: Services, person: Person) => Promise<{ readonly kind: string }>
    const endings: Readonly<Record<string, Act>> = {
      'a change of the password': async (services, person) =>
        changePassword(services, await heldBy(services, person), { current: OLD_PASSWORD, next, caller }),
      'a password set by the operator': (services, { username }) =>
        setPassword(services, { username, password: next, mustChange: false }, by),
      'an invitation': (services, { invitation }) =>
        acceptInvitation(services, { code: invitation, password: next }, caller),
      'a reset of the second factor (SEC-REC-9)': (services, { username }) =>
        resetSecondFactor(services, username, by),
      'a recovery code (SEC-REC-9)': (services, { loginTokens, recoveryCodes }) =>
        submitCode(services, { loginToken: loginTokens[0], code: recoveryCodes[0] }, caller),
      disabling: (services, { username }) => disableUser(services, username, by),
      deletion: (services, { username }) => deleteUser(services, username, by),
    }

    for (const [name, act] of Object.entries(endings)) {
      it(`end with ${name}`, async () => {
        const { services } = stage()
        const { person, use } = await equipped(services)
        const bystander = await equipped(services)
        const { kind } = await act(services, person)
        assert.ok(['changed', 'continue', 'reset', 'signed-in', 'disabled', 'deleted'].includes(kind), kind)
        assert.deepEqual(await use(), { kind: 'refused', reason: 'unknown' })
        assert.equal((await bystander.use()).kind, 'allowed')
      })

      it(`are not made after ${name}, wherever in between it comes`, async () => {
        const { services, isWaiting, stops } = stage()
        for (let pauseAt = 0; ; pauseAt++) {
          const person = await makePerson(services, 'enrolled')
          const held = await heldBy(services, person)
          const results = await interleave(pauseAt, {
            first: () => makeAppPassword(services, held, { wanted, caller }),
            second: () => act(services, person),
            isWaiting,
            stops,
          })
          if (results === undefined) break
          for (const result of results) assert.equal(result.status, 'fulfilled')
          // Made before it ended with it; made after it was not.
          const left = await appPasswords.count(services.db, person.id)
          assert.equal(left, 0, `stopped at ${pauseAt}`)
          assert.ok(pauseAt < 50)
        }
      })
    }

    it('end with the first authenticator, for the password alone could make them before (SEC-SES-9)', async () => {
      const { services } = stage()
      for (const bySession of [false, true]) {
        const { person, use } = await equipped(services, 'newcomer')
        const code = person.code('tablet')
        const outcome = bySession
          ? await confirm(services, person, await heldAsNewcomer(services, person))
          : await submitCode(services, { loginToken: person.loginTokens[0], code }, caller)
        assert.ok(['confirmed', 'signed-in'].includes(outcome.kind), outcome.kind)
        assert.equal((await use()).kind, 'refused')
      }
    })

    it('stay when the password is changed and they are to be kept, and when sessions end or a device is added', async () => {
      const { services } = stage()
      const { person, use } = await equipped(services)
      const added = await confirm(services, person, await heldBy(services, person))
      assert.equal(added.kind, 'confirmed')
      assert.equal((await use()).kind, 'allowed')
      const other = await equipped(services)
      await endOtherSessions(services, await heldBy(services, other.person), caller)
      const change = { current: OLD_PASSWORD, next, keepAppPasswords: true, caller }
      const held = await heldBy(services, other.person)
      assert.equal((await changePassword(services, held, change)).kind, 'changed')
      assert.equal((await other.use()).kind, 'allowed')
    })
  })
}

/** Confirms the pending device, as if this session had begun it. */
async function confirm(services: Services, person: Person, held: SessionWithUser) {
  const begun = services.db.updateTable('otp_device').set({ begun_by: held.session.id })
  await begun.where('user_id', '=', person.id).where('confirmed_at', 'is', null).execute()
  return confirmEnrolment(services, held, { code: person.code('tablet'), caller })
}

/** Where a second factor is demanded a session of the password alone is not resumed; it is read as it is. */
async function heldAsNewcomer(services: Services, person: Person): Promise<SessionWithUser> {
  const optional = { ...services, policy: { ...services.policy, enrolment: 'optional' as const } }
  return heldBy(optional, person)
}

/** The services with a count of what is asked of the database. */
function countingSelects(services: Services) {
  let selects = 0
  const db = new Proxy(services.db, {
    get(target, name, receiver) {
      selects++
      return Reflect.get(target, name, receiver)
    },
  })
  return { services: { ...services, db }, count: () => selects }
}
