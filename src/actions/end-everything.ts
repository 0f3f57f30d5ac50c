import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import * as appPasswords from '../store/app-passwords.ts'
import * as codeWindows from '../store/code-windows.ts'
import type { Db } from '../store/database.ts'
import * as knownBrowsers from '../store/known-browsers.ts'
import * as logins from '../store/logins.ts'
import * as sessions from '../store/sessions.ts'

/** Ends all that a user holds: sessions, logins under way, budgets of known browsers, app passwords, windows (SEC-SES-8). */
export async function endEverything(tx: Db, userId: UserId, now: UnixSeconds): Promise<void> {
  await logins.removeAll(tx, userId)
  await sessions.removeAll(tx, userId)
  await knownBrowsers.removeAll(tx, userId)
  await appPasswords.removeAll(tx, userId)
  await codeWindows.endAll(tx, userId, now)
}
