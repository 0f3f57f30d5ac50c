import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { authenticate } from '../../src/actions/authenticate.ts'
import type { Caller } from '../../src/actions/caller.ts'
import { submitPassword } from '../../src/actions/submit-password.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { parseRecoveryCode } from '../../src/domain/otp/recovery-code.ts'
import type { Services } from '../../src/services.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as recoveryCodes from '../../src/store/recovery-codes.ts'
import * as sessions from '../../src/store/sessions.ts'
import { readAttempts } from '../../src/store/views/read-attempts.ts'
import { closeEngines, postgres, type Stage, sqlite, stageFor } from './engines.ts'
import { isDone, type OperationName, operations } from './operations.ts'
import { makePerson, OLD_PASSWORD, type Person, stateOf } from './person.ts'

after(closeEngines)

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

const callerAt = (address: string): Caller => ({ address, userAgent: 'test', requestId: 'test' })

const authenticateWith = (services: Services, { username }: Person, code: string, address = '203.0.113.7') =>
  authenticate(services, { username, password: OLD_PASSWORD, code, uniform: false }, callerAt(address))

const kinds = (outcomes: readonly { readonly kind: string }[]) => {
  const counts: Record<string, number> = {}
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

for (const engine of [sqlite, postgres]) {
  describe(`many requests at once, on ${engine.name}`, () => {
    // Whoever knows the password is not slowed by its budget here: it is the code that all of them want.
    const config = {
      password: { hashQueue: 1024, hashDeadline: 60 },
      throttle: { passwordFree: 100_000, networkLimit: 100_000, siteLimit: 100_000, serverLimit: 100_000 },
    }
    const stage = stageFor(engine, { config })

    it('let one of 64 in with one code, round after round (FT-RACE-1, SEC-OTP-2)', async () => {
      const { services } = stage()
      for (let round = 0; round < 5; round++) {
        const person = await makePerson(services, 'enrolled')
        const outcomes = await times(64, () => authenticateWith(services, person, person.code('phone')))
        assert.deepEqual(kinds(outcomes), { 'signed-in': 1, 'wrong-code': 63 })
        assert.equal((await sessions.listOf(services.db, person.id)).length, 3)
      }
    })

    it('let one of 64 in with one recovery code (FT-RACE-2, SEC-REC-3)', async () => {
      const { services } = stage()
      for (let round = 0; round < 3; round++) {
        const person = await makePerson(services, 'enrolled')
        const outcomes = await times(64, () => authenticateWith(services, person, person.recoveryCodes[0]))
        assert.equal(kinds(outcomes)['signed-in'], 1)
        // Whatever was open before ended with it.
        assert.equal((await sessions.listOf(services.db, person.id)).length, 1)
      }
    })

    it('let one of 64 in with one code of a counter token (FT-RACE-2, SEC-OTP-13)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const code = await giveCounterToken(services, person, 41)
      const outcomes = await times(64, () => authenticateWith(services, person, code))
      assert.equal(kinds(outcomes)['signed-in'], 1)
      const devices = await otpDevices.listConfirmed(services.db, person.id)
      assert.equal(devices.find(({ kind }) => kind === 'hotp')?.counter, 42)
    })

    it('look at no more wrong codes than the budget allows, from however many addresses (FT-RACE-3, SEC-OTP-6)', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      let opened = 0
      const counting: Services = {
        ...services,
        sealer: {
          ...services.sealer,
          open: (...args) => {
            opened++
            return services.sealer.open(...args)
          },
        },
      }
      const wrong = wrongCodeOf(person)
      const outcomes = await times(1000, (index) =>
        authenticateWith(counting, person, wrong, `198.51.${index % 200}.7`),
      )
      const { codeFree } = world.config.throttle
      assert.deepEqual(kinds(outcomes), { 'wrong-code': codeFree, throttled: 1000 - codeFree })
      // Each code that is looked at is compared with both devices.
      assert.equal(opened, 2 * codeFree)
      assert.equal((await authenticateWith(services, person, person.code('phone'))).kind, 'throttled')
      world.clock.advance(world.config.throttle.firstWait)
      assert.equal((await authenticateWith(services, person, wrong)).kind, 'wrong-code')
      assert.equal((await authenticateWith(services, person, wrong)).kind, 'throttled')
    })

    it('bind one device though its first code comes from everywhere at once (SEC-OTP-8)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const outcomes = await times(16, (index) =>
        operations[index % 2 === 0 ? 'confirm enrolment' : 'confirm enrolment elsewhere'](services, person),
      )
      assert.equal(kinds(outcomes).confirmed, 1)
      const devices = await otpDevices.listConfirmed(services.db, person.id)
      assert.deepEqual(devices.map(({ name }) => name).toSorted(), ['phone', 'tablet', 'token'])
      assert.equal((await sessions.listOf(services.db, person.id)).length, 1)
    })

    it('leave one enrolment pending though many begin at once', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const outcomes = await times(16, () => operations['begin enrolment from a session'](services, person))
      assert.deepEqual(kinds(outcomes), { begun: 16 })
      const devices = await services.db
        .selectFrom('otp_device')
        .select('id')
        .where('user_id', '=', person.id)
        .where('confirmed_at', 'is', null)
        .execute()
      assert.equal(devices.length, 1)
    })

    it('leave one whole set of recovery codes though many are made at once (SEC-REC-5)', async () => {
      const { services } = stage()
      const person = await makePerson(services, 'enrolled')
      const outcomes = await times(6, () => operations['make recovery codes'](services, person))
      assert.deepEqual(kinds(outcomes), { made: 6 })
      const right = []
      for (const outcome of outcomes) {
        const codes = 'codes' in outcome ? (outcome.codes as readonly string[]) : []
        right.push(await rightOnes(services, person, codes))
      }
      assert.deepEqual(right.toSorted(), [0, 0, 0, 0, 0, 10])
    })

    const pairs: readonly (readonly [OperationName, OperationName])[] = [
      ['operator: disable', 'all three at once'],
      ['operator: disable', 'code of one login'],
      ['change the password', 'all three at once'],
      ['change the password', 'change the password to another'],
      ['operator: set a password', 'recovery code'],
      ['operator: reset the second factor', 'code of one login'],
      ['operator: reset the second factor', 'make recovery codes'],
      ['remove the phone', 'remove the token'],
      ['confirm enrolment', 'remove the phone'],
      ['operator: delete', 'all three at once'],
      ['operator: delete', 'password step'],
      ['operator: delete', 'confirm enrolment'],
      ['operator: delete', 'make recovery codes'],
    ]
    for (const [first, second] of pairs) {
      it(`"${first}" and "${second}" at once end as one after the other, 20 times (FT-RACE-4)`, async () => {
        await everyTime(stage(), first, second)
      })
    }
  })

  describe(`guesses of passwords at once, on ${engine.name}`, () => {
    const stage = stageFor(engine, { config: { password: { hashQueue: 1024, hashDeadline: 60 } } })

    it('look at no more wrong passwords than the budget allows, from however many addresses (FT-RACE-3)', async () => {
      const { services, world } = stage()
      const person = await makePerson(services, 'enrolled')
      let verified = 0
      const counting: Services = {
        ...services,
        hasher: {
          ...services.hasher,
          enter: () => {
            const turn = services.hasher.enter()
            return (
              turn && {
                hash: turn.hash,
                verify: (...args) => {
                  verified++
                  return turn.verify(...args)
                },
                [Symbol.dispose]: () => turn[Symbol.dispose](),
              }
            )
          },
        },
      }
      const { username } = person
      const outcomes = await times(1000, (index) =>
        submitPassword(
          counting,
          { username: index % 2 === 0 ? username : username.toUpperCase(), password: `wrong ${index}` },
          callerAt(`198.51.${index % 200}.7`),
        ),
      )
      const { passwordFree } = world.config.throttle
      assert.deepEqual(kinds(outcomes), { refused: passwordFree, throttled: 1000 - passwordFree })
      assert.equal(verified, passwordFree)
      // Those that were not looked at were charged to nobody.
      const left = await readAttempts(services.db, ['server:password'])
      assert.equal(left.get('server:password')?.count, passwordFree)
    })
  })
}

/** Starts both at once, half of the times the one first and half the other, and compares with both orders. */
async function everyTime(stage: Stage, first: OperationName, second: OperationName): Promise<void> {
  const { services } = stage
  const both = [first, second] as const
  const endOf = async (person: Person, done: readonly boolean[]) =>
    `${done.map((each) => (each ? 'done' : 'refused')).join(', ')}: ${await stateOf(services, person)}`
  const allowed = new Set<string>()
  for (const order of [[0, 1], [1, 0], [0], [1]] as const) {
    const person = await makePerson(services, 'enrolled')
    const done = [false, false]
    for (const index of order) done[index] = isDone(await operations[both[index]](services, person))
    allowed.add(await endOf(person, done))
  }
  for (let time = 0; time < 20; time++) {
    const person = await makePerson(services, 'enrolled')
    const order = time % 2 === 0 ? both : both.toReversed()
    const outcomes = await Promise.all(order.map((name) => operations[name](services, person)))
    const done = outcomes.map(isDone)
    const end = await endOf(person, time % 2 === 0 ? done : done.toReversed())
    assert.ok(allowed.has(end), `${end}\nis none of\n${[...allowed].join('\n')}`)
  }
}

/** How many of the codes are stored. */
async function rightOnes({ db, hasher, now }: Services, { id }: Person, codes: readonly string[]) {
  using turn = hasher.enter()
  let right = 0
  for (const code of codes) {
    const { index, secret } = parseRecoveryCode(code) ?? { index: -1, secret: '' }
    const hash = await recoveryCodes.findHash(db, id, index, now())
    if (hash !== undefined && (await turn?.verify(hash, secret))) right++
  }
  return right
}

/** A code that no device of the person shows now or in the steps beside it. */
function wrongCodeOf(person: Person): string {
  const right = new Set(['phone', 'token', 'tablet'].map((name) => person.code(name)))
  return ['000000', '111111', '222222', '333333'].find((code) => !right.has(code)) ?? ''
}

/** Binds a counter token and gives its code at `counter`. */
async function giveCounterToken(
  services: Services,
  { id: userId }: Person,
  counter: number,
): Promise<string> {
  const id = services.newId()
  const key = services.entropy(20)
  await otpDevices.insertConfirmed(
    services.db,
    {
      ...{
        id,
        userId,
        kind: 'hotp',
        name: 'card',
        algorithm: 'sha1',
        digits: 6,
        period: 30,
        t0: 0,
        drift: 0,
      },
      ...{ lastUsedStep: -1, counter, createdAt: services.now() },
      sealedKey: services.sealer.seal(key, { purpose: 'otp-key', userId, deviceId: id }),
    },
    services.now(),
  )
  return hotpCode(key, counter, { algorithm: 'sha1', digits: 6 })
}
