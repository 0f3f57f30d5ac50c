import type { AuditEvent } from '../domain/audit.ts'
import type { Services } from '../services.ts'
import { type Operator, record } from './caller.ts'

/** Writes down that the whole database was copied, restored or moved, or that its users were taken out. */
export async function noteCopy(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  event: Extract<
    AuditEvent,
    { event: 'backup-made' | 'database-restored' | 'database-moved' | 'users-exported' }
  >,
  by: Operator,
): Promise<void> {
  const now = services.now()
  await services.db.transaction().execute((tx) => record(services, tx, { now, by }, event))
}
