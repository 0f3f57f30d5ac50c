import type { User, UserId } from '../domain/user.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import * as users from '../store/users.ts'
import { codeKey } from './budgets.ts'

/**
 * Takes hold of a user's factors until the transaction ends, and gives the user as they are from then on.
 *
 * Whoever proves, adds, removes or resets a factor, or deletes the user, comes one after another: what holds them
 * is the row of the code budget, which every proof charges first.
 */
export async function holdFactors(tx: Db, id: UserId): Promise<User | undefined> {
  await attempts.hold(tx, [codeKey(id)])
  const user = await users.findById(tx, id)
  if (user === undefined) await attempts.clear(tx, [codeKey(id)])
  return user
}
