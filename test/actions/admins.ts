import type { Admin } from '../../src/actions/caller.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { hashToken } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { caller } from './operations.ts'

/** A user of two factors with a fresh session, as the edge would hand it to an action. */
export async function makeAdmin(
  { db, now: clock }: Services,
  { isSuperuser = true }: { isSuperuser?: boolean } = {},
): Promise<Admin & { readonly id: UserId }> {
  const id = newId() as UserId
  const now = clock()
  await users.insert(db, { id, username: `admin-${id}`, displayName: '', isSuperuser }, now)
  await users.setSecondFactor(db, id, true)
  const tokenHash = hashToken(newToken())
  await sessions.insert(db, {
    ...{ id: newId(), userId: id, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
    ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash },
  })
  const admin = await sessions.findByToken(db, tokenHash)
  if (admin === undefined) throw new Error('the session is gone')
  return { id, admin, caller }
}
