import type { Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as signingKeys from '../store/signing-keys.ts'
import { type Operator, record } from './caller.ts'

const BATCH = 500

/**
 * Seals every stored key anew under the current key; can be stopped and run again at any moment.
 *
 * Each row is its own conditional write, so an enrolment that changes beside it is not overwritten.
 */
export async function resealKeys(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'sealer'>,
  by: Operator,
): Promise<{ readonly resealed: number }> {
  const { db, sealer } = services
  const keyId = sealer.currentKeyId()
  const resealed = (await resealDevices(services, keyId)) + (await resealSigningKeys(services, keyId))
  await record(services, db, { now: services.now(), by }, { event: 'keys-rotated', keyId, resealed })
  return { resealed }
}

type Sealing = Pick<Services, 'db' | 'sealer'>

async function resealDevices({ db, sealer }: Sealing, keyId: string): Promise<number> {
  let resealed = 0
  for (let after = ''; ; ) {
    const batch = await otpDevices.listSealed(db, after, BATCH)
    for (const { id, userId, sealedKey } of batch) {
      if (sealer.keyIdOf(sealedKey) === keyId) continue
      const context = { purpose: 'otp-key', userId, deviceId: id } as const
      const anew = sealer.seal(sealer.open(sealedKey, context), context)
      if (await otpDevices.reseal(db, id, sealedKey, anew)) resealed++
    }
    const last = batch.at(-1)
    if (last === undefined) return resealed
    after = last.id
  }
}

async function resealSigningKeys({ db, sealer }: Sealing, keyId: string): Promise<number> {
  let resealed = 0
  for (const { id, sealedKey } of await signingKeys.list(db)) {
    if (sealer.keyIdOf(sealedKey) === keyId) continue
    const context = { purpose: 'signing-key', keyId: id } as const
    const anew = sealer.seal(sealer.open(sealedKey, context), context)
    if (await signingKeys.reseal(db, id, sealedKey, anew)) resealed++
  }
  return resealed
}
