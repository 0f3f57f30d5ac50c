import { sql } from 'kysely'
import { loadConfig } from '../../src/config/load.ts'
import { serve } from '../../src/serve.ts'
import { migrations, type SchemaChange } from '../../src/store/migrations/index.ts'

// The server as an earlier or a later version of it: with fewer migrations than this one, or with one more. Passwords
// cost less than any setting allows, for what is looked at is the database.
const list = migrations as Record<string, SchemaChange>
for (const name of process.env.TEST_WITHOUT_MIGRATIONS?.split(',') ?? []) delete list[name]
if (process.env.TEST_WITH_A_LATER_MIGRATION !== undefined) {
  list['9999-later'] = {
    async prepare(db) {
      await sql`set lock_timeout = 0`.execute(db)
      await sql`create index concurrently if not exists session_later on session (last_seen_at)`.execute(db)
    },
    async up(db) {
      await sql`alter table session add column later text not null default 'nothing'`.execute(db)
      await sql`alter table "user" add column later bigint`.execute(db)
    },
  }
}
const config = loadConfig({ cwd: process.cwd(), env: process.env })
await serve({ ...config, password: { ...config.password, memoryKib: 8, passes: 1 } })
