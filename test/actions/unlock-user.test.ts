import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { byAdmin } from '../../src/actions/allow.ts'
import { authenticate } from '../../src/actions/authenticate.ts'
import type { Administrator } from '../../src/actions/caller.ts'
import { unlockUser } from '../../src/actions/unlock-user.ts'
import type { Services } from '../../src/services.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import { makeAdmin } from './admins.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { caller } from './operations.ts'
import { makePerson, OLD_PASSWORD, type Person } from './person.ts'
import { interleave } from './steps.ts'

after(closeEngines)

/** Of the right form, and never right: the devices of these tests have six digits. */
const WRONG = '00000000'

describe('unlocking again and again', () => {
  const stage = stageFor(sqlite)

  /** Who has to wait is unlocked, until so many wrong codes were looked at. */
  async function guess(
    services: Services,
    person: Person,
    { times, by }: { times: number; by: Administrator },
  ) {
    const { id, username } = person
    for (let looks = 0; looks < times; looks++) {
      const input = { username, password: OLD_PASSWORD, code: WRONG, uniform: false }
      assert.equal((await authenticate(services, input, caller)).kind, 'wrong-code')
      assert.equal((await byAdmin(unlockUser(services, { id }, by))).kind, 'unlocked')
    }
  }

  const usable = async ({ db }: Services, { id }: Person) =>
    (await otpDevices.listConfirmed(db, id)).filter(({ disabled }) => !disabled).length

  const disablings = ({ db }: Services, { id }: Person) =>
    db
      .selectFrom('audit_event')
      .select('event')
      .where('user_id', '=', id)
      .where('event', '=', 'devices-disabled')
      .execute()

  it('does not keep an administrator from the number that disables the devices (SEC-OTP-6)', async () => {
    const { services, world } = stage()
    const [person, by] = [await makePerson(services, 'enrolled'), await makeAdmin(services)]
    const { disableAfter } = world.config.throttle
    await guess(services, person, { times: disableAfter - 1, by })
    assert.equal(await usable(services, person), 2)
    await guess(services, person, { times: 1, by })
    assert.equal(await usable(services, person), 0)
    assert.equal((await disablings(services, person)).length, 1)
    const last = await byAdmin(unlockUser(services, { id: person.id }, by))
    assert.deepEqual(last, { kind: 'unlocked', disabledDevices: 2 })
  })

  it('counts for all administrators together', async () => {
    const { services, world } = stage()
    const person = await makePerson(services, 'enrolled')
    const half = Math.ceil(world.config.throttle.disableAfter / 2)
    for (let each = 0; each < 2; each++) {
      await guess(services, person, { times: half, by: await makeAdmin(services) })
    }
    assert.equal(await usable(services, person), 0)
  })

  it('forgets the count when the operator does it', async () => {
    const { services, world } = stage()
    const person = await makePerson(services, 'enrolled')
    await guess(services, person, {
      times: world.config.throttle.disableAfter + 10,
      by: { operator: 'test' },
    })
    assert.equal(await usable(services, person), 2)
    assert.deepEqual(await disablings(services, person), [])
  })
})

for (const engine of [sqlite, postgres]) {
  describe(`unlocking somebody who is signing in, on ${engine.name}`, () => {
    // All that is wanted are the locks: nobody has to wait for a budget.
    const throttle = { networkLimit: 100_000, siteLimit: 100_000, serverLimit: 100_000 }
    const stage = stageFor(engine, { config: { throttle } })

    it('waits for the sign-in or comes before it, and neither fails (SEC-RATE-1)', async () => {
      const { services, isWaiting, stops } = stage()
      for (let pauseAt = 0; ; pauseAt++) {
        const [person, by] = [await makePerson(services, 'enrolled'), await makeAdmin(services)]
        const { id, username } = person
        const attempt = (password: string) =>
          authenticate(services, { username, password, code: WRONG, uniform: true }, caller)
        // The rows of both budgets are there, and not in the order of their keys.
        await attempt('something else entirely')
        await attempt(OLD_PASSWORD)
        const ends = await interleave<Kind, Kind>(pauseAt, {
          first: () => attempt(OLD_PASSWORD),
          second: () => byAdmin(unlockUser(services, { id }, by)),
          isWaiting,
          stops,
        })
        if (ends === undefined) {
          assert.ok(pauseAt > 0)
          return
        }
        const kinds = ends.map((end) => (end.status === 'rejected' ? end.reason : end.value.kind))
        assert.deepEqual(kinds, ['wrong-code', 'unlocked'], `stopped at ${pauseAt}`)
      }
    })
  })
}

interface Kind {
  readonly kind: string
}
