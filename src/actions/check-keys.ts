import type { Services } from '../services.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as signingKeys from '../store/signing-keys.ts'

export interface KeyReport {
  /** How many values each key seals. */
  readonly sealedBy: ReadonlyMap<string, number>
  /** Devices whose key does not open: damaged, moved, or sealed by a key that is gone. */
  readonly unopenable: readonly string[]
  /** Keys of assertions that do not open, for the same reasons. */
  readonly unopenableSigningKeys: readonly string[]
}

const BATCH = 500

/** Opens every sealed value once and counts by key; changes nothing. */
export async function checkKeys({ db, sealer }: Pick<Services, 'db' | 'sealer'>): Promise<KeyReport> {
  const sealedBy = new Map<string, number>()
  const count = (sealedKey: string) => {
    const keyId = sealer.keyIdOf(sealedKey)
    sealedBy.set(keyId, (sealedBy.get(keyId) ?? 0) + 1)
  }
  const unopenable: string[] = []
  for (let after = ''; ; ) {
    const batch = await otpDevices.listSealed(db, after, BATCH)
    for (const { id, userId, sealedKey } of batch) {
      count(sealedKey)
      if (!sealer.opens(sealedKey, { purpose: 'otp-key', userId, deviceId: id })) unopenable.push(id)
    }
    const last = batch.at(-1)
    if (last === undefined) break
    after = last.id
  }
  const unopenableSigningKeys: string[] = []
  for (const { id, sealedKey } of await signingKeys.list(db)) {
    count(sealedKey)
    if (!sealer.opens(sealedKey, { purpose: 'signing-key', keyId: id })) unopenableSigningKeys.push(id)
  }
  return { sealedBy, unopenable, unopenableSigningKeys }
}
