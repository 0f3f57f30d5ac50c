import type { Services } from '../services.ts'
import { migrationStatus } from '../store/migrate.ts'
import { isWritable } from '../store/writable.ts'

export type Readiness = { readonly kind: 'ready' | 'read-only' | 'wrong-migrations' }

/**
 * Whether the database answers, takes changes and holds the tables of this program; an unreachable one throws.
 *
 * What a newer program has changed since this one was started is no hindrance: its changes are such that both can work.
 */
export async function checkReadiness({ db }: Pick<Services, 'db'>): Promise<Readiness> {
  if (!(await isWritable(db))) return { kind: 'read-only' }
  const { pending } = await migrationStatus(db)
  return pending.length === 0 ? { kind: 'ready' } : { kind: 'wrong-migrations' }
}
