import type { Services } from '../services.ts'
import { takePurge } from '../store/installation.ts'
import { type Purged, purgeExpired } from './purge-expired.ts'

/** Shorter than the time between two purges of one node, which does not come to the second. */
const BETWEEN = 9 * 60

/** Removes what has ended, unless another node did so within nine minutes; then `undefined`. */
export async function purgeInTurn(
  services: Pick<Services, 'db' | 'now' | 'policy'>,
): Promise<Purged | undefined> {
  const { db, now } = services
  return (await takePurge(db, now(), BETWEEN)) ? purgeExpired(services) : undefined
}
