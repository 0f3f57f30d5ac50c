import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AuthenticationMethod,
  type EnrolmentPolicy,
  isVerified,
  type LoginStanding,
  type LoginStep,
  nextStep,
  secondFactorDemanded,
} from '../../src/domain/login.ts'

const both = [false, true]
const policies: readonly EnrolmentPolicy[] = ['required', 'optional']

/** Every list of methods up to three long, in any order and with repetitions. */
const methodLists: readonly (readonly AuthenticationMethod[])[] = (() => {
  const methods: readonly AuthenticationMethod[] = ['pwd', 'otp', 'recovery']
  const one = methods.map((method) => [method])
  const two = one.flatMap((list) => methods.map((method) => [...list, method]))
  const three = two.flatMap((list) => methods.map((method) => [...list, method]))
  return [[], ...one, ...two, ...three]
})()

const standings: readonly LoginStanding[] = both.flatMap((hasSecondFactor) =>
  both.flatMap((hasUsableDevice) =>
    both.flatMap((isSuperuser) =>
      both.map((mustChangePassword) => ({
        hasSecondFactor,
        hasUsableDevice,
        isSuperuser,
        mustChangePassword,
      })),
    ),
  ),
)

const everyInput = policies.flatMap((policy) =>
  standings.flatMap((standing) => methodLists.map((amr) => ({ amr, standing, policy }))),
)

/** Checks every input that `which` picks, and that it picks some. */
function forEvery(
  which: (input: (typeof everyInput)[number]) => boolean,
  check: (step: LoginStep, input: (typeof everyInput)[number]) => boolean,
): void {
  const picked = everyInput.filter(which)
  assert.ok(picked.length > 0)
  for (const input of picked) {
    const step = nextStep(input.amr, input.standing, input.policy)
    assert.ok(check(step, input), `${step} for ${JSON.stringify(input)}`)
  }
}

const onlyPassword = (amr: readonly AuthenticationMethod[]) => amr.every((method) => method === 'pwd')

describe('two factors', () => {
  it('are the password and a code of either kind, and nothing less', () => {
    const verified = methodLists.filter((amr) => isVerified(amr))
    assert.ok(verified.length > 0)
    for (const amr of methodLists) {
      const kinds = new Set(amr)
      const expected = kinds.size >= 2 && kinds.has('pwd')
      assert.equal(isVerified(amr), expected, amr.join())
    }
  })

  it('are demanded of everybody, or of superusers alone (SEC-AUTH-3)', () => {
    assert.equal(secondFactorDemanded({ isSuperuser: false }, 'required'), true)
    assert.equal(secondFactorDemanded({ isSuperuser: true }, 'required'), true)
    assert.equal(secondFactorDemanded({ isSuperuser: true }, 'optional'), true)
    assert.equal(secondFactorDemanded({ isSuperuser: false }, 'optional'), false)
  })
})

describe('what a login waits for', () => {
  it('is a code and nothing else, where a second factor was proven and only the password given (SEC-AUTH-4)', () => {
    forEvery(
      ({ amr, standing }) => standing.hasSecondFactor && onlyPassword(amr),
      (step) => step === 'totp',
    )
  })

  it('is a code as well where a device is there that the user was read without', () => {
    forEvery(
      ({ amr, standing }) => standing.hasUsableDevice && onlyPassword(amr),
      (step) => step === 'totp',
    )
  })

  it('is not over for a superuser without two factors and a device (SEC-AUTH-3)', () => {
    forEvery(
      ({ standing }) => standing.isSuperuser,
      (step, { amr, standing }) =>
        (isVerified(amr) && standing.hasUsableDevice) || step === 'totp' || step === 'enrol-totp',
    )
  })

  it('is not over for anybody without two factors and a device where the policy demands them (SEC-AUTH-3)', () => {
    forEvery(
      ({ policy }) => policy === 'required',
      (step, { amr, standing }) =>
        (isVerified(amr) && standing.hasUsableDevice) || step === 'totp' || step === 'enrol-totp',
    )
  })

  it('is never a new device for who has a second factor and did not prove it (SEC-AUTH-4)', () => {
    forEvery(
      ({ amr, standing }) => (standing.hasSecondFactor || standing.hasUsableDevice) && !isVerified(amr),
      (step) => step !== 'enrol-totp' && step !== 'new-password' && step !== 'done',
    )
  })

  it('is never over while the password must be changed, and that comes last (SEC-PW-8)', () => {
    forEvery(
      ({ standing }) => standing.mustChangePassword,
      (step) => step !== 'done',
    )
    forEvery(
      ({ standing }) => !standing.mustChangePassword,
      (step) => step !== 'new-password',
    )
  })

  it('does not depend on the order of proofs or on repetitions', () => {
    forEvery(
      () => true,
      (step, { amr, standing, policy }) =>
        step === nextStep([...new Set(amr)].sort(), standing, policy) &&
        step === nextStep([...amr, ...amr].reverse(), standing, policy),
    )
  })

  const password: readonly AuthenticationMethod[] = ['pwd']
  const withCode: readonly AuthenticationMethod[] = ['pwd', 'otp']
  const withRecovery: readonly AuthenticationMethod[] = ['pwd', 'recovery']
  /** Second factor known, device usable; then the step by password, by password and code, where demanded or not. */
  const table: readonly [boolean, boolean, Record<'demanded' | 'free', readonly [LoginStep, LoginStep]>][] = [
    [false, false, { demanded: ['enrol-totp', 'enrol-totp'], free: ['done', 'done'] }],
    [false, true, { demanded: ['totp', 'done'], free: ['totp', 'done'] }],
    [true, false, { demanded: ['totp', 'enrol-totp'], free: ['totp', 'done'] }],
    [true, true, { demanded: ['totp', 'done'], free: ['totp', 'done'] }],
  ]
  for (const [hasSecondFactor, hasUsableDevice, steps] of table) {
    const factor = `${hasSecondFactor ? 'a' : 'no'} proven factor`
    it(`is as the table says with ${factor} and ${hasUsableDevice ? 'a' : 'no'} usable device`, () => {
      for (const policy of policies) {
        for (const isSuperuser of both) {
          const [byPassword, byTwo] = steps[isSuperuser || policy === 'required' ? 'demanded' : 'free']
          const standing = { hasSecondFactor, hasUsableDevice, isSuperuser }
          for (const [amr, expected] of [
            [password, byPassword],
            [withCode, byTwo],
            [withRecovery, byTwo],
          ] as const) {
            const changing = expected === 'done' ? 'new-password' : expected
            assert.equal(nextStep(amr, { ...standing, mustChangePassword: false }, policy), expected)
            assert.equal(nextStep(amr, { ...standing, mustChangePassword: true }, policy), changing)
          }
        }
      }
    })
  }
})
