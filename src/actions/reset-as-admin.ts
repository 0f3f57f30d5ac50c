import { decideReset, RESET_REQUEST_LIFETIME, type ResetDecision } from '../domain/administration.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { User, UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as resetRequests from '../store/reset-requests.ts'
import * as users from '../store/users.ts'
import { type AdminRefusal, allow, byAdmin } from './allow.ts'
import { type Admin, record } from './caller.ts'
import { holdFactors } from './hold-factors.ts'
import {
  type HandedOverCode,
  handedOverCode,
  type ResetSecondFactorOutcome,
  resetFactors,
} from './reset-second-factor.ts'

export type ResetAsAdminOutcome =
  | ResetSecondFactorOutcome
  /** Written down; another administrator has to ask for the same until then. */
  | { readonly kind: 'requested'; readonly expiresAt: UnixSeconds }
  /** This administrator asked already; it takes another one. */
  | { readonly kind: 'needs-another-admin'; readonly expiresAt: UnixSeconds }
  /** What was to be carried out was withdrawn, or carried out by somebody else, at the same moment. */
  | { readonly kind: 'superseded' }
  | AdminRefusal

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'entropy' | 'hasher' | 'policy'>

/**
 * Resets a user's second factor by the word of an administrator; that of a superuser by the word of two.
 *
 * For a superuser the first call writes a request down and a call by somebody else carries it out (SEC-AUTH-16).
 */
export async function resetAsAdmin(services: Needed, id: UserId, by: Admin): Promise<ResetAsAdminOutcome> {
  const now = services.now()
  const target = await users.findById(services.db, id)
  if (target === undefined) return { kind: 'no-such-user' }
  // Only a reset needs a code, and only it costs a hash; the transaction decides again.
  const { decision } = await decide(services.db, target, { by, now })
  using turn = decision === 'reset' ? services.hasher.enter() : undefined
  if (decision === 'reset' && turn === undefined) return { kind: 'busy' }
  const code = turn && (await handedOverCode(services, turn))
  return byAdmin(
    services.db.transaction().execute(async (tx): Promise<ResetAsAdminOutcome> => {
      await allow(tx, services, { by, now, notOneself: id })
      if ((await holdFactors(tx, id)) === undefined) return { kind: 'no-such-user' }
      return carryOut(tx, services, target, { code, by, now })
    }),
  )
}

async function carryOut(
  tx: Db,
  services: Needed,
  target: User,
  { code, by, now }: { code: HandedOverCode | undefined; by: Admin; now: UnixSeconds },
): Promise<ResetAsAdminOutcome> {
  const { decision, request } = await decide(tx, target, { by, now })
  switch (decision) {
    case 'needs-another-admin':
      return { kind: 'needs-another-admin', expiresAt: request?.expiresAt ?? now }
    case 'reset':
      // Asked for at the same moment by somebody else: what they wrote down stands, and the next call carries it out.
      if (code === undefined) return { kind: 'requested', expiresAt: request?.expiresAt ?? now }
      // Withdrawn since it was looked at: nothing is carried out that nobody asks for any more.
      if (request !== undefined && !(await resetRequests.take(tx, target.id))) return { kind: 'superseded' }
      return resetFactors(tx, services, target.id, { code, by, now })
    case 'request': {
      // It was there a moment ago: to carry it out was meant, and not to ask for another.
      if (code !== undefined) return { kind: 'superseded' }
      const expiresAt = now + RESET_REQUEST_LIFETIME
      const requestedBy = by.admin.user.id
      await resetRequests.put(tx, { userId: target.id, requestedBy, requestedAt: now, expiresAt })
      await record(services, tx, { now, by, userId: target.id }, { event: 'reset-requested' })
      return { kind: 'requested', expiresAt }
    }
  }
}

async function decide(
  db: Db,
  target: User,
  { by, now }: { by: Admin; now: UnixSeconds },
): Promise<{ decision: ResetDecision; request: resetRequests.ResetRequest | undefined }> {
  const request = await resetRequests.find(db, target.id, now)
  const requester = request && (await users.findById(db, request.requestedBy))
  const asked = request && {
    requestedBy: request.requestedBy,
    requesterMayAdminister: requester?.isSuperuser === true && !requester.disabled,
  }
  return { decision: decideReset(target, by.admin.user.id, asked), request }
}
