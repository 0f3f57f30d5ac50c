import { KEY_LEAD, type SigningKey } from '../domain/assertion.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { Services } from '../services.ts'
import * as signingKeys from '../store/signing-keys.ts'
import { type Operator, record } from './caller.ts'

export type RotateSigningKeyOutcome =
  | { readonly kind: 'rotated'; readonly keyId: string; readonly usedFrom: UnixSeconds }
  /** A new key is published already, and applications are learning it. */
  | { readonly kind: 'under-way'; readonly keyId: string; readonly usedFrom: UnixSeconds }
  /** Another rotation made this generation meanwhile. */
  | { readonly kind: 'overtaken' }

/**
 * Makes a new key for assertions. It is published at once and signs after `KEY_LEAD`, when every application has it.
 *
 * @param options.atOnce for a key in wrong hands: the new one signs at once, and the older ones are published no more.
 */
export async function rotateSigningKey(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'signing'>,
  { atOnce, by }: { readonly atOnce: boolean; readonly by: Operator },
): Promise<RotateSigningKeyOutcome> {
  const now = services.now()
  const made = services.signing.newKey()
  return services.db.transaction().execute(async (tx): Promise<RotateSigningKeyOutcome> => {
    const latest = (await signingKeys.list(tx)).at(-1)
    if (!atOnce && latest !== undefined && latest.usedFrom > now) {
      return { kind: 'under-way', keyId: latest.id, usedFrom: latest.usedFrom }
    }
    const usedFrom = atOnce || latest === undefined ? now : now + KEY_LEAD
    const generation = (latest?.generation ?? 0) + 1
    const key: SigningKey = { ...made, generation, createdAt: now, usedFrom }
    if (!(await signingKeys.insert(tx, key))) return { kind: 'overtaken' }
    if (atOnce) await signingKeys.removeBefore(tx, generation)
    await record(services, tx, { now, by }, { event: 'signing-key-rotated', keyId: key.id, usedFrom })
    return { kind: 'rotated', keyId: key.id, usedFrom }
  })
}
