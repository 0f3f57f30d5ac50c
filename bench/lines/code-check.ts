import { matchCode } from '../../src/actions/match-code.ts'
import { compose } from '../../src/compose.ts'
import { timeStepAt, totpCode } from '../../src/domain/otp/totp.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as users from '../../src/store/users.ts'
import { configOf } from '../support/data.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { median } from '../support/numbers.ts'
import { OTP_KEY, usernameOf } from '../support/people.ts'

/** The check of one code in this process: unseal the key, compute three candidates, compare. */
export const codeCheck: Measurement = { names: ['code-check'], run }

async function run({ data, quick }: Bench): Promise<Line[]> {
  const { services, close } = await compose(configOf(data.watchword('real')))
  const user = await users.findByUsername(services.db, usernameOf(0))
  const devices = user === undefined ? [] : await otpDevices.listConfirmed(services.db, user.id)
  const [device] = devices
  if (device === undefined) throw new Error('The first user has no device.')
  const now = services.now()
  const right = totpCode(OTP_KEY, timeStepAt(now, device), device)
  const wrong = right === '000000' ? '000001' : '000000'
  const times = (code: string, expected: 'totp' | 'none') => {
    const checks = 2000
    const began = performance.now()
    for (let i = 0; i < checks; i++) {
      if (matchCode(services, devices, code, now).kind !== expected) throw new Error('A code was misjudged.')
    }
    return ((performance.now() - began) / checks) * 1000
  }
  const rights: number[] = []
  const wrongs: number[] = []
  for (let round = 0; round < (quick ? 5 : 15); round++) {
    rights.push(times(right, 'totp'))
    wrongs.push(times(wrong, 'none'))
  }
  await close()
  return [
    {
      name: 'code-check',
      what: 'Check of a code: unseal, three candidates, compare',
      measured: Math.max(median(rights), median(wrongs)),
      target: 50,
      must: 'be at most',
      unit: 'µs',
      digits: 1,
      behind: [`right code ${median(rights).toFixed(1)} µs, wrong code ${median(wrongs).toFixed(1)} µs`],
    },
  ]
}
