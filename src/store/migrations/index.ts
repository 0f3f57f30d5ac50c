import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'
import * as pages from './0002-pages.ts'
import * as protectedHosts from './0003-protected-hosts.ts'
import * as appPasswords from './0004-app-passwords.ts'
import * as codeWindows from './0005-code-windows.ts'
import * as signingKeys from './0006-signing-keys.ts'
import * as imports from './0007-imports.ts'
import * as auditOrder from './0008-audit-order.ts'
import * as auditMonths from './0009-audit-months.ts'
import * as fewUsers from './0010-few-users.ts'
import * as purgeTurn from './0011-purge-turn.ts'

/** A change of the tables that the program before it can live with. */
export interface SchemaChange extends Migration {
  /**
   * What takes long on big tables and holds up nobody, before and outside of the transaction of `up`.
   *
   * It may end half-way and be run again, and set how long it waits for locks. `up` must get along without it, only more slowly.
   */
  readonly prepare?: (db: Kysely<never>) => Promise<void>
}

/** Every migration, in order; a name that was released is never changed. */
export const migrations: Readonly<Record<string, SchemaChange>> = {
  '0001-initial': initial,
  '0002-pages': pages,
  '0003-protected-hosts': protectedHosts,
  '0004-app-passwords': appPasswords,
  '0005-code-windows': codeWindows,
  '0006-signing-keys': signingKeys,
  '0007-imports': imports,
  '0008-audit-order': auditOrder,
  '0009-audit-months': auditMonths,
  '0010-few-users': fewUsers,
  '0011-purge-turn': purgeTurn,
}
