import { ASSERTION_TYPE, type AssertedIdentity, assertionClaims, signingKeyAt } from '../domain/assertion.ts'
import { StorageFault } from '../domain/faults.ts'
import type { Services } from '../services.ts'
import { heldSigningKeys } from './signing-keys.ts'

/** A short-lived statement about who was let in, signed, for the application to believe (SEC-PXY-4). */
export async function assertIdentity(
  services: Pick<Services, 'db' | 'now' | 'signing'>,
  identity: AssertedIdentity,
): Promise<string> {
  const now = services.now()
  const key = signingKeyAt(await heldSigningKeys(services), now)
  if (key === undefined) throw new StorageFault('There is no key to sign with, though one was made.')
  return services.signing.sign(key, { type: ASSERTION_TYPE, claims: assertionClaims(identity, now) })
}
