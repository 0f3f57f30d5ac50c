import type { UserId } from '../domain/user.ts'
import type { Db } from '../store/database.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as sessions from '../store/sessions.ts'

/** Ends all that a user holds in browsers: sessions, logins under way, budgets of known browsers (SEC-SES-8). */
export async function endEverything(tx: Db, userId: UserId): Promise<void> {
  await logins.removeAll(tx, userId)
  await sessions.removeAll(tx, userId)
  await knownBrowsers.removeAll(tx, userId)
}
