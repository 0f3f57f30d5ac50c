import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'

/** Every migration, in order; a name that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
}
