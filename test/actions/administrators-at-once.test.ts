import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { byAdmin } from '../../src/actions/allow.ts'
import type { Admin } from '../../src/actions/caller.ts'
import { deleteUser } from '../../src/actions/delete-user.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { resetAsAdmin } from '../../src/actions/reset-as-admin.ts'
import { withdrawReset } from '../../src/actions/withdraw-reset.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as users from '../../src/store/users.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { interleave } from './steps.ts'

after(closeEngines)

const ROUNDS = 40

type Change = (services: Services, id: UserId, by: Admin) => Promise<{ readonly kind: string }>

const disable: Change = (services, id, by) => byAdmin(disableUser(services, { id }, by))
const remove: Change = (services, id, by) => byAdmin(deleteUser(services, { id }, by))

/** Two administrators, and what each of them does to the other. */
const duels: Readonly<Record<string, readonly [Change, Change]>> = {
  'disable each other': [disable, disable],
  'delete each other': [remove, remove],
  'disable and delete each other': [disable, remove],
}

for (const engine of [sqlite, postgres]) {
  describe(`two administrators at the same moment, on ${engine.name}`, () => {
    const stage = stageFor(engine)

    async function meet([first, second]: readonly [Change, Change]) {
      const { services } = stage()
      const [one, other] = [await makeAdmin(services), await makeAdmin(services)]
      const works = [() => first(services, other.id, one), () => second(services, one.id, other)] as const
      const settle = async (kinds: readonly string[]) => {
        assert.equal(kinds.filter((kind) => kind === 'not-admin').length, 1, kinds.join(', '))
        const found = [await users.findById(services.db, one.id), await users.findById(services.db, other.id)]
        const left = found.map((user) => user !== undefined && !user.disabled)
        // Whoever was refused is the one who is gone.
        assert.deepEqual(
          left,
          kinds.map((kind) => kind !== 'not-admin'),
        )
      }
      return { works, settle }
    }

    for (const [name, duel] of Object.entries(duels)) {
      it(`who ${name}: one succeeds and stays, round after round (SEC-AZ-4)`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const { works, settle } = await meet(round % 2 === 0 ? duel : [duel[1], duel[0]])
          const order = round % 4 < 2 ? [0, 1] : [1, 0]
          const kinds = ['', '']
          await Promise.all(order.map(async (who) => (kinds[who] = (await works[who as 0 | 1]()).kind)))
          await settle(kinds)
        }
      })

      it(`who ${name}: one succeeds wherever the other is stopped (SEC-AZ-4)`, async () => {
        const { isWaiting, stops } = stage()
        for (let pauseAt = 0; ; pauseAt++) {
          const { works, settle } = await meet(duel)
          const [first, second] = works
          const ends = await interleave(pauseAt, { first, second, isWaiting, stops })
          if (ends === undefined) {
            assert.ok(pauseAt > 0)
            return
          }
          await settle(ends.map(kindOf))
        }
      })
    }
  })

  describe(`a withdrawal and an approval at the same moment, on ${engine.name}`, () => {
    const stage = stageFor(engine)

    /** A reset that one administrator asked for; another approves it while a third, or whom it is about, withdraws. */
    async function asked(withdrawnBy: 'a third' | 'the target') {
      const { services } = stage()
      const [one, other, third, target] = await Promise.all([0, 1, 2, 3].map(() => makeAdmin(services)))
      assert.ok(one && other && third && target)
      assert.equal((await resetAsAdmin(services, target.id, one)).kind, 'requested')
      const withdrawer = withdrawnBy === 'a third' ? third : target
      const approve = () => resetAsAdmin(services, target.id, other)
      const withdraw = () => withdrawReset(services, target.id, withdrawer)
      const settle = async (approval: string, withdrawal: string) => {
        const [isReset, isWithdrawn] = [approval === 'reset', withdrawal === 'withdrawn']
        assert.notEqual(isReset, isWithdrawn, `${approval}, ${withdrawal}`)
        // A reset ends the sessions of whom it is about, with which they could have withdrawn.
        const lost = isReset ? ['none', 'not-admin'] : ['superseded', 'requested']
        assert.ok(lost.includes(isReset ? withdrawal : approval), `${approval}, ${withdrawal}`)
        const events = await services.db
          .selectFrom('audit_event')
          .select('event')
          .where('user_id', '=', target.id)
          .where('event', 'in', ['second-factor-reset', 'reset-withdrawn'])
          .execute()
        assert.deepEqual(
          events.map(({ event }) => event),
          [isReset ? 'second-factor-reset' : 'reset-withdrawn'],
        )
      }
      return { approve, withdraw, settle }
    }

    for (const withdrawnBy of ['a third', 'the target'] as const) {
      it(`by ${withdrawnBy}: one of them wins, round after round (SEC-AUTH-16)`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const { approve, withdraw, settle } = await asked(withdrawnBy)
          const both = round % 2 === 0 ? [approve(), withdraw()] : [withdraw(), approve()].toReversed()
          const [approval, withdrawal] = await Promise.all(both)
          await settle(approval?.kind ?? '', withdrawal?.kind ?? '')
        }
      })

      it(`by ${withdrawnBy}: one of them wins wherever the other is stopped (SEC-AUTH-16)`, async () => {
        const { isWaiting, stops } = stage()
        for (const stopped of ['approval', 'withdrawal'] as const) {
          for (let pauseAt = 0; ; pauseAt++) {
            const { approve, withdraw, settle } = await asked(withdrawnBy)
            const [first, second] = stopped === 'approval' ? [approve, withdraw] : [withdraw, approve]
            const ends = await interleave<Kind, Kind>(pauseAt, { first, second, isWaiting, stops })
            if (ends === undefined) {
              assert.ok(pauseAt > 0)
              break
            }
            const kinds = ends.map(kindOf)
            const [approval = '', withdrawal = ''] = stopped === 'approval' ? kinds : kinds.toReversed()
            await settle(approval, withdrawal)
          }
        }
      })
    }
  })
}

type Kind = { readonly kind: string }

function kindOf(end: PromiseSettledResult<Kind>): string {
  if (end.status === 'rejected') throw end.reason
  return end.value.kind
}
