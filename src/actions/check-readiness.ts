import type { Services } from '../services.ts'
import { migrationStatus } from '../store/migrate.ts'

/** Whether the database answers and holds the tables of this program; an unreachable one throws. */
export async function checkReadiness({
  db,
}: Pick<Services, 'db'>): Promise<{ readonly kind: 'ready' } | { readonly kind: 'wrong-migrations' }> {
  const { pending, unknown } = await migrationStatus(db)
  return pending.length === 0 && unknown.length === 0 ? { kind: 'ready' } : { kind: 'wrong-migrations' }
}
