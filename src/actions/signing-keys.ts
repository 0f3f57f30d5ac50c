import { publishedKeys, type SigningKey } from '../domain/assertion.ts'
import type { Services } from '../services.ts'
import * as signingKeys from '../store/signing-keys.ts'

type SigningServices = Pick<Services, 'db' | 'now' | 'signing'>

/** The keys of assertions as this process knows them, in the order of generations; the first one is made when it is needed. */
export async function heldSigningKeys({
  db,
  now: clock,
  signing,
}: SigningServices): Promise<readonly SigningKey[]> {
  const now = clock()
  const remembered = signing.remembered(now)
  if (remembered !== undefined) return remembered
  let keys = await signingKeys.list(db)
  if (keys.length === 0) {
    // Of several servers that start at once, one makes it.
    await signingKeys.insert(db, { ...signing.newKey(), generation: 1, createdAt: now, usedFrom: now })
    keys = await signingKeys.list(db)
  }
  signing.remember(keys, now)
  return keys
}

/** The keys by which applications check assertions; none where no policy asks for assertions. */
export async function listPublishedKeys(
  services: SigningServices & Pick<Services, 'policy'>,
): Promise<readonly SigningKey[]> {
  if (!services.policy.accessPolicies.some(({ assertion }) => assertion)) return []
  return publishedKeys(await heldSigningKeys(services), services.now())
}
