import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { acceptInvitation } from '../../src/actions/accept-invitation.ts'
import { byAdmin } from '../../src/actions/allow.ts'
import { beginSetup } from '../../src/actions/begin-setup.ts'
import { createUser } from '../../src/actions/create-user.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { finishSetup } from '../../src/actions/finish-setup.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { submitPassword } from '../../src/actions/submit-password.ts'
import { newToken } from '../../src/crypto/random.ts'
import { INVITATION_LIFETIME, SETUP_LIFETIME } from '../../src/domain/invitation.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as logins from '../../src/store/logins.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { caller } from './operations.ts'
import { makePerson, NEW_PASSWORDS, type Person } from './person.ts'
import { interleave } from './steps.ts'

after(closeEngines)

const by = { operator: 'test' }
const password = NEW_PASSWORDS[0]

async function invited(services: Services, { username }: Pick<Person, 'username'>): Promise<Token> {
  const outcome = await inviteUser(services, username, by)
  if (outcome.kind !== 'invited') throw new Error(outcome.kind)
  return outcome.invitation.token
}

const accept = (services: Services, code: Token, chosen: string = password) =>
  acceptInvitation(services, { code, password: chosen }, caller)

const kinds = (outcomes: readonly { readonly kind: string }[]) => outcomes.map(({ kind }) => kind).toSorted()

for (const engine of [sqlite, postgres]) {
  describe(`an invitation on ${engine.name}`, () => {
    const stage = stageFor(engine, { config: { password: { hashQueue: 1024, hashDeadline: 60 } } })

    it('sets the password, ends what was open, and still asks for the second factor (SEC-PW-13)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const outcome = await accept(services, await invited(services, person))
      assert.deepEqual(outcome.kind === 'continue' && outcome.step, 'totp')
      assert.deepEqual(await sessions.listOf(services.db, person.id), [])
      const signIn = await submitPassword(services, { username: person.username, password }, caller)
      assert.equal(signIn.kind, 'continue')
      assert.equal((await users.findById(services.db, person.id))?.hasSecondFactor, true)
    })

    it('leads a new user to enrolment', async () => {
      const { services } = stage()
      const username = `new-${services.newId()}`
      const user = { username, displayName: '', isSuperuser: false, mustChangePassword: false, groups: [] }
      await createUser(services, { ...user, password: undefined }, by)
      const outcome = await accept(services, await invited(services, { username }))
      assert.equal(outcome.kind === 'continue' && outcome.step, 'enrol-totp')
    })

    it('works once, though it comes 64 times at once (SEC-PW-13)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const code = await invited(services, person)
      const outcomes = await Promise.all(Array.from({ length: 64 }, () => accept(services, code)))
      assert.equal(outcomes.filter(({ kind }) => kind === 'continue').length, 1)
      assert.equal(outcomes.filter(({ kind }) => kind === 'no-such-invitation').length, 63)
      const waiting = await services.db
        .selectFrom('login')
        .selectAll()
        .where('user_id', '=', person.id)
        .execute()
      assert.equal(waiting.length, 1)
    })

    it('is not used up by a password that may not be chosen', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const code = await invited(services, person)
      assert.equal((await accept(services, code, 'short')).kind, 'unsuitable')
      assert.equal((await accept(services, code)).kind, 'continue')
    })

    it('ends with its time, and when another one is made', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const first = await invited(services, person)
      const second = await invited(services, person)
      assert.equal((await accept(services, first)).kind, 'no-such-invitation')
      const later = { ...services, now: () => services.now() + INVITATION_LIFETIME }
      assert.equal((await accept(later, second)).kind, 'no-such-invitation')
      assert.equal((await accept(services, second)).kind, 'continue')
      assert.equal((await accept(services, newToken())).kind, 'no-such-invitation')
    })

    it('ends when the user is disabled or deleted, or the password is set otherwise', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const { username } = person
      const one = await invited(services, person)
      await disableUser(services, username, by)
      assert.equal((await inviteUser(services, username, by)).kind, 'disabled')
      await enableUser(services, username, by)
      assert.equal((await accept(services, one)).kind, 'no-such-invitation')
      const two = await invited(services, person)
      await setPassword(services, { username, password: NEW_PASSWORDS[1], mustChange: false }, by)
      assert.equal((await accept(services, two)).kind, 'no-such-invitation')
      const three = await invited(services, person)
      await deleteUser(services, username, by)
      assert.equal((await accept(services, three)).kind, 'no-such-invitation')
    })

    it('is used, or not, by whoever comes with a change of the account', async () => {
      const { services } = stage()
      for (let round = 0; round < 10; round++) {
        const person = await makePerson(services, 'enrolled')
        const { username } = person
        const code = await invited(services, person)
        const change = [
          () => disableUser(services, username, by),
          () => deleteUser(services, username, by),
          () => inviteUser(services, username, by),
          () => setPassword(services, { username, password: NEW_PASSWORDS[1], mustChange: false }, by),
        ][round % 4]
        const [accepted] = await Promise.all([accept(services, code), change?.()])
        assert.ok(['continue', 'no-such-invitation'].includes(accepted.kind))
        const user = await users.findById(services.db, person.id)
        if (user?.disabled !== false || accepted.kind !== 'continue') continue
        const login = await logins.findByToken(services.db, tokenHashOf(accepted), services.now())
        assert.ok(login === undefined || login.epoch <= user.epoch)
      }
    })

    it('is made by an administrator, who learns the link and no password (SEC-PW-14)', async () => {
      const { services } = stage()
      const [admin, person] = [await makeAdmin(services), await makePerson(services, 'enrolled')]
      const outcome = await byAdmin(inviteUser(services, { id: person.id }, admin))
      assert.equal(outcome.kind, 'invited')
      if (outcome.kind === 'invited')
        assert.deepEqual(Object.keys(outcome.invitation).toSorted(), ['lifetime', 'token'])
    })
  })

  describe(`the first user on ${engine.name}`, () => {
    const stage = stageFor(engine)
    const finish = (services: Services, code: Token, more: object = {}) => {
      const user = { username: 'alice', displayName: 'Alice', password: NEW_PASSWORDS[0], ...more }
      return finishSetup(services, { code, ...user }, caller)
    }
    const begun = async (services: Services): Promise<Token> => {
      const outcome = await beginSetup(services)
      if (outcome.kind !== 'begun') throw new Error(outcome.kind)
      return outcome.setup.token
    }

    it('is made by the token of the last start, once, within an hour, and is led to enrolment', async () => {
      const { services } = stage()
      const first = await begun(services)
      const second = await begun(services)
      assert.equal((await finish(services, first)).kind, 'no-such-setup')
      const later = { ...services, now: () => services.now() + SETUP_LIFETIME }
      assert.equal((await finish(later, second)).kind, 'no-such-setup')
      assert.equal((await finish(services, second, { username: 'a b' })).kind, 'unsuitable-username')
      assert.equal(
        (await finish(services, second, { displayName: '\u202e' })).kind,
        'unsuitable-display-name',
      )
      assert.equal((await finish(services, second, { password: 'short' })).kind, 'unsuitable-password')
      const names = Array.from({ length: 8 }, (_, index) => ({ username: `alice${index}` }))
      const outcomes = await Promise.all(names.map((name) => finish(services, second, name)))
      assert.deepEqual(kinds(outcomes), ['continue', ...Array<string>(7).fill('done-already')])
      const made = await services.db.selectFrom('user').select('is_superuser').execute()
      assert.deepEqual(
        made.map((row) => row.is_superuser),
        [1],
      )
      assert.equal((await beginSetup(services)).kind, 'not-needed')
      assert.equal((await finish(services, second)).kind, 'done-already')
    })

    it('is told apart from a wrong token, wherever two who make it meet', async () => {
      const { services, isWaiting, stops } = stage()
      const run = (name: string, token: Token) => async () =>
        (await finish(services, token, { username: name })).kind
      for (let pauseAt = 0; ; pauseAt++) {
        for (const { id } of await services.db.selectFrom('user').select('id').execute())
          await users.remove(services.db, id as UserId)
        const token = await begun(services)
        const [first, second] = [run('alice', token), run('bob', token)]
        const outcomes = await interleave(pauseAt, { first, second, isWaiting, stops })
        if (outcomes === undefined) break
        const ended = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))
        assert.deepEqual(ended.toSorted(), ['continue', 'done-already'], `stopped at ${pauseAt}`)
      }
    })
  })
}

const tokenHashOf = (accepted: Extract<Awaited<ReturnType<typeof accept>>, { kind: 'continue' }>) =>
  hashToken(accepted.loginToken.token)
