import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { byAdmin } from '../../src/actions/allow.ts'
import type { Admin } from '../../src/actions/caller.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { endSessionsOf } from '../../src/actions/end-sessions-of.ts'
import { enterAdmin } from '../../src/actions/enter-admin.ts'
import { inviteNewUser } from '../../src/actions/invite-new-user.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { resetAsAdmin } from '../../src/actions/reset-as-admin.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { unlockUser } from '../../src/actions/unlock-user.ts'
import { withdrawReset } from '../../src/actions/withdraw-reset.ts'
import { ADMIN_IDLE, RESET_REQUEST_LIFETIME } from '../../src/domain/administration.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as sessions from '../../src/store/sessions.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { interleave } from './steps.ts'

after(closeEngines)

/** Every change that an administrator can make, to somebody. */
const changes: Readonly<
  Record<string, (services: Services, id: UserId, by: Admin) => Promise<{ readonly kind: string }>>
> = {
  disable: (services, id, by) => byAdmin(disableUser(services, { id }, by)),
  enable: (services, id, by) => byAdmin(enableUser(services, { id }, by)),
  unlock: (services, id, by) => byAdmin(unlockUser(services, { id }, by)),
  delete: (services, id, by) => byAdmin(deleteUser(services, { id }, by)),
  'end the sessions': (services, userId, by) => endSessionsOf(services, { userId }, by),
  invite: (services, id, by) => byAdmin(inviteUser(services, { id }, by)),
  'make a user': (services, id, by) =>
    inviteNewUser(services, { username: `new-${id}`, displayName: '', groups: [] }, by),
  reset: resetAsAdmin,
  'withdraw a reset': withdrawReset,
  'make a group': (services, id, by) =>
    byAdmin(changeGroup(services, { kind: 'create', group: `g-${id}` }, by)),
}

const notToOneself = ['disable', 'delete', 'invite', 'reset']

const refusals = ['not-admin', 'stale', 'own-account']

for (const engine of [sqlite, postgres]) {
  describe(`administration on ${engine.name}`, () => {
    const stage = stageFor(engine)

    for (const [name, change] of Object.entries(changes)) {
      it(`lets a superuser of a fresh proof ${name}, and the event is theirs`, async () => {
        const { services } = stage()
        const [admin, other] = [await makeAdmin(services), await makeAdmin(services, { isSuperuser: false })]
        const { kind } = await change(services, other.id, admin)
        assert.equal(refusals.includes(kind), false, kind)
        const events = await services.db
          .selectFrom('audit_event')
          .selectAll()
          .where('actor_id', '=', admin.id)
          .execute()
        for (const event of events) {
          assert.equal(event.actor_kind, 'user')
          assert.equal(event.address, admin.caller.address)
          assert.equal(event.request_id, admin.caller.requestId)
          assert.notEqual(event.user_id, admin.id)
        }
      })

      it(`lets nobody ${name} who is no superuser, whose proof is old, or whose session ended`, async () => {
        const { services, world } = stage()
        const other = await makeAdmin(services, { isSuperuser: false })
        const user = await makeAdmin(services, { isSuperuser: false })
        assert.equal((await change(services, other.id, user)).kind, 'not-admin')

        const stale = await makeAdmin(services)
        const { freshFor } = world.config.session
        const later = { ...services, now: () => services.now() + freshFor }
        assert.equal((await change(later, other.id, stale)).kind, 'stale')

        const ended = await makeAdmin(services)
        await sessions.removeAll(services.db, ended.id)
        assert.equal((await change(services, other.id, ended)).kind, 'not-admin')

        const byPassword = await makeAdmin(services)
        const weak = { ...byPassword.admin.session, amr: ['pwd'] as const }
        const held = { ...byPassword, admin: { ...byPassword.admin, session: weak } }
        assert.equal((await change(services, other.id, held)).kind, 'not-admin')
      })

      it(`lets no superuser ${name} who was disabled since the request began (SEC-AZ-4)`, async () => {
        const { services } = stage()
        const [admin, other] = [await makeAdmin(services), await makeAdmin(services, { isSuperuser: false })]
        await services.db.updateTable('user').set({ disabled_at: 1 }).where('id', '=', admin.id).execute()
        assert.equal((await change(services, other.id, admin)).kind, 'not-admin')
      })
    }

    for (const name of notToOneself) {
      it(`lets nobody ${name} themselves`, async () => {
        const { services } = stage()
        const admin = await makeAdmin(services)
        assert.equal((await changes[name]?.(services, admin.id, admin))?.kind, 'own-account')
      })
    }

    it('invites no superuser: who used the link would be two administrators (SEC-AUTH-16)', async () => {
      const { services } = stage()
      const [admin, other] = [await makeAdmin(services), await makeAdmin(services)]
      assert.equal((await byAdmin(inviteUser(services, { id: other.id }, admin))).kind, 'needs-operator')
    })

    it('opens by a fresh proof and locks after a quarter of an hour without use (SEC-AZ-6)', async () => {
      const { services } = stage()
      const { admin } = await makeAdmin(services)
      let past = 0
      const at = { ...services, now: () => services.now() + past }
      assert.equal((await enterAdmin(at, admin)).kind, 'open')
      for (let minutes = 10; minutes <= 50; minutes += 10) {
        past = minutes * 60
        assert.equal((await enterAdmin(at, admin)).kind, 'open')
      }
      past += ADMIN_IDLE
      assert.equal((await enterAdmin(at, admin)).kind, 'locked')
      past -= 1
      assert.equal((await enterAdmin(at, admin)).kind, 'open')
    })

    it('is locked for a session that was ended, and does not revive it', async () => {
      const { services } = stage()
      const { admin, id } = await makeAdmin(services)
      await sessions.removeAll(services.db, id)
      assert.equal((await enterAdmin(services, admin)).kind, 'locked')
      assert.deepEqual(await sessions.listOf(services.db, id), [])
    })
  })

  describe(`the reset of a superuser's second factor on ${engine.name} (SEC-AUTH-16)`, () => {
    const stage = stageFor(engine)

    async function three() {
      const { services } = stage()
      return {
        services,
        one: await makeAdmin(services),
        other: await makeAdmin(services),
        target: await makeAdmin(services),
      }
    }

    const resets = async ({ db }: Services, id: UserId) => {
      const events = db.selectFrom('audit_event').select('event').where('user_id', '=', id)
      return (await events.where('event', '=', 'second-factor-reset').execute()).length
    }

    it('is asked for by one and carried out by another', async () => {
      const { services, one, other, target } = await three()
      assert.equal((await resetAsAdmin(services, target.id, one)).kind, 'requested')
      assert.equal((await resetAsAdmin(services, target.id, one)).kind, 'needs-another-admin')
      assert.equal(await resets(services, target.id), 0)
      const outcome = await resetAsAdmin(services, target.id, other)
      assert.equal(outcome.kind, 'reset')
      if (outcome.kind === 'reset') assert.ok(outcome.lifetime <= 24 * 3600)
      assert.equal(await resets(services, target.id), 1)
      assert.deepEqual(await sessions.listOf(services.db, target.id), [])
    })

    it('is carried out once though two carry it out at once', async () => {
      const { services, one, other, target } = await three()
      const third = await makeAdmin(services)
      await resetAsAdmin(services, target.id, one)
      const outcomes = await Promise.all([other, third].map((by) => resetAsAdmin(services, target.id, by)))
      const [late = ''] = outcomes.map(({ kind }) => kind).filter((kind) => kind !== 'reset')
      // Who looks when it is done already asks for another, which again takes two.
      assert.ok(['superseded', 'requested'].includes(late), late)
      assert.equal(await resets(services, target.id), 1)
    })

    it('is asked for, and not done, when two ask for it at the same moment', async () => {
      const { isWaiting, stops } = stage()
      const seen: string[] = []
      for (let pauseAt = 0; ; pauseAt++) {
        const { services, one, other, target } = await three()
        const ask = (by: Admin) => async () => (await resetAsAdmin(services, target.id, by)).kind
        const outcomes = await interleave(pauseAt, { first: ask(one), second: ask(other), isWaiting, stops })
        if (outcomes === undefined) break
        const [first, second] = outcomes.map((each) => (each.status === 'fulfilled' ? each.value : 'failed'))
        assert.equal(second, 'requested', `stopped at ${pauseAt}`)
        // Who had not looked yet when the other one was answered carries out what that one asked for.
        assert.equal(await resets(services, target.id), first === 'reset' ? 1 : 0, `stopped at ${pauseAt}`)
        seen.push(first ?? '')
      }
      assert.ok(seen.includes('requested'))
      // Once it has looked, and found nothing asked for, it asks and does no more.
      assert.equal(seen.lastIndexOf('reset') < seen.indexOf('requested'), true, seen.join())
    })

    it('is asked for in vain after a day, or when it was withdrawn', async () => {
      const { services, one, other, target } = await three()
      await resetAsAdmin(services, target.id, one)
      const later = { ...services, now: () => services.now() + RESET_REQUEST_LIFETIME }
      assert.equal((await resetAsAdmin(later, target.id, other)).kind, 'stale')
      assert.equal((await withdrawReset(services, target.id, target)).kind, 'withdrawn')
      assert.equal((await withdrawReset(services, target.id, target)).kind, 'none')
      assert.equal((await resetAsAdmin(services, target.id, other)).kind, 'requested')
    })

    it('counts nothing that a superuser asked for who was disabled since', async () => {
      const { services, one, other, target } = await three()
      await resetAsAdmin(services, target.id, one)
      await byAdmin(disableUser(services, { id: one.id }, other))
      assert.equal((await resetAsAdmin(services, target.id, other)).kind, 'requested')
    })

    it('takes one for somebody who is no superuser, and the operator alone for anybody', async () => {
      const { services, one, target } = await three()
      const user = await makeAdmin(services, { isSuperuser: false })
      assert.equal((await resetAsAdmin(services, user.id, one)).kind, 'reset')
      const { username } = target.admin.user
      assert.equal((await resetSecondFactor(services, username, { operator: 'test' })).kind, 'reset')
    })
  })
}
