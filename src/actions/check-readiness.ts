import type { Services } from '../services.ts'
import { migrationStatus } from '../store/migrate.ts'

/**
 * Whether the database answers and holds the tables of this program; an unreachable one throws.
 *
 * What a newer program has changed since this one was started is no hindrance: its changes are such that both can work.
 */
export async function checkReadiness({
  db,
}: Pick<Services, 'db'>): Promise<{ readonly kind: 'ready' } | { readonly kind: 'wrong-migrations' }> {
  const { pending } = await migrationStatus(db)
  return pending.length === 0 ? { kind: 'ready' } : { kind: 'wrong-migrations' }
}
