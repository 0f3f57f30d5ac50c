import { after, before, describe } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import type { Db } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { appPasswordContract } from './app-passwords.ts'
import { codeWindowContract } from './code-windows.ts'
import { factorContract } from './factors.ts'
import { invitationContract } from './invitations.ts'
import { loginContract } from './logins.ts'
import { migrationContract } from './migrations.ts'
import { protectedHostContract } from './protected-hosts.ts'
import { purgeContract } from './purge.ts'
import { recordContract } from './records.ts'
import { signingKeyContract } from './signing-keys.ts'
import { userContract } from './users.ts'
import { viewContract } from './views.ts'

/** Opens a database of the engine by its name; one that is not there is made, without tables. */
export type OpenEmpty = (name: string) => Promise<Db>

/** The database of a part of the suite, from the moment its tests run. */
export type Opened = () => Db

/** What every engine must do alike (SEC-DB-5): each function of `src/store`, by what it returns and what it leaves. */
export function storeContract(name: string, open: OpenEmpty): void {
  describe(`the store on ${name}`, () => {
    let db: Db
    before(async () => {
      db = await open(`main_${newId()}`)
      await migrate(db)
    })
    after(() => db.destroy())
    userContract(() => db)
    factorContract(() => db)
    loginContract(() => db)
    recordContract(() => db)
    appPasswordContract(() => db)
    codeWindowContract(() => db)
    invitationContract(() => db)
    protectedHostContract(() => db)
    signingKeyContract(() => db)
    viewContract(() => db)
    purgeContract(open)
    migrationContract(open)
  })
}
