import { hotpCode } from '../../src/domain/otp/hotp.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'

/** Binds a counter token that stands at `counter`, and gives its code there. */
export async function giveCounterToken(
  services: Services,
  { id: userId }: { readonly id: UserId },
  counter: number,
): Promise<string> {
  const id = services.newId()
  const key = services.entropy(20)
  const device: otpDevices.NewOtpDevice = {
    ...{ id, userId, kind: 'hotp', name: 'card', algorithm: 'sha1', digits: 6, period: 30, t0: 0 },
    ...{ drift: 0, lastUsedStep: -1, counter, createdAt: services.now() },
    sealedKey: services.sealer.seal(key, { purpose: 'otp-key', userId, deviceId: id }),
  }
  await otpDevices.insertConfirmed(services.db, device, services.now())
  return hotpCode(key, counter, { algorithm: 'sha1', digits: 6 })
}
