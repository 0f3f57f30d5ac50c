import type { Services } from '../services.ts'
import { type Admin, record } from './caller.ts'

/** Writes down that an administrator takes the audit log away as a file (SEC-LOG-1). */
export async function noteExport(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  by: Admin,
  format: 'csv' | 'jsonl',
): Promise<void> {
  const now = services.now()
  await services.db
    .transaction()
    .execute((tx) => record(services, tx, { now, by }, { event: 'audit-exported', format }))
}
