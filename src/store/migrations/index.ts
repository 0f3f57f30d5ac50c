import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'
import * as pages from './0002-pages.ts'

/** Every migration, in order; a name that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-pages': pages,
}
