import { isAdmin, mayAdminister } from '../domain/administration.ts'
import type { UnixSeconds } from '../domain/time.ts'
import type { UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as attempts from '../store/attempts.ts'
import type { Db } from '../store/database.ts'
import * as sessions from '../store/sessions.ts'
import * as users from '../store/users.ts'
import type { Administrator } from './caller.ts'

/** Why an administrator may not make a change. */
export type AdminRefusal =
  | { readonly kind: 'not-admin' }
  /** Who they are was not proven recently enough (SEC-AUTH-10). */
  | { readonly kind: 'stale' }
  /** Nobody disables, deletes, invites or resets themselves through administration. */
  | { readonly kind: 'own-account' }

/**
 * Row that every change by an administrator holds, before any other: they come one after another, so that two who
 * disable each other at once cannot both succeed.
 */
const ADMINISTRATION = 'hold:administration'

/** Thrown inside a transaction to undo it: the administrator may not do this. */
class AdminRefused extends Error {
  override readonly name = 'AdminRefused'
  readonly refusal: AdminRefusal

  constructor(refusal: AdminRefusal) {
    super(refusal.kind)
    this.refusal = refusal
  }
}

/**
 * Lets the transaction of a change go on, or throws: first in every change that an administrator can make.
 *
 * The operator may do everything. An administrator needs a fresh session of two factors that was not ended, and
 * must at this moment be the superuser the request began with (SEC-AZ-4).
 *
 * @param services.notOneself whom the change is about, where nobody may do it to themselves.
 */
export async function allow(
  tx: Db,
  { policy }: Pick<Services, 'policy'>,
  { by, now, notOneself }: { by: Administrator; now: UnixSeconds; notOneself?: UserId },
): Promise<void> {
  if ('operator' in by) return
  const { session, user } = by.admin
  if (!isAdmin(by.admin)) throw new AdminRefused({ kind: 'not-admin' })
  if (!mayAdminister(by.admin, policy.session, now)) throw new AdminRefused({ kind: 'stale' })
  await attempts.hold(tx, [ADMINISTRATION])
  await attempts.clear(tx, [ADMINISTRATION])
  const current = await users.findById(tx, user.id)
  const isCurrent = current !== undefined && current.epoch === user.epoch
  if (!isCurrent || !isAdmin({ session, user: current }) || !(await sessions.exists(tx, session.id))) {
    throw new AdminRefused({ kind: 'not-admin' })
  }
  if (notOneself === user.id) throw new AdminRefused({ kind: 'own-account' })
}

/** What a change by an administrator came to, or why they may not make it; for every call with an `Admin`. */
export async function byAdmin<Outcome>(change: Promise<Outcome>): Promise<Outcome | AdminRefusal> {
  try {
    return await change
  } catch (error) {
    if (error instanceof AdminRefused) return error.refusal
    throw error
  }
}
