import type { AuditEvent } from '../domain/audit.ts'
import { type GroupNameProblem, groupNameProblem } from '../domain/group.ts'
import type { Services } from '../services.ts'
import type { Db } from '../store/database.ts'
import * as groups from '../store/groups.ts'
import * as users from '../store/users.ts'
import { allow } from './allow.ts'
import { type Administrator, record } from './caller.ts'

export type ChangeGroupOutcome =
  | { readonly kind: 'changed' }
  | { readonly kind: 'already-so' }
  | { readonly kind: 'no-such-group' }
  | { readonly kind: 'no-such-user' }
  | { readonly kind: 'unsuitable-name'; readonly problem: GroupNameProblem }

/** A change to a group or to who is in it; holds from the next request on (SEC-AZ-4). */
export type GroupChange =
  | { readonly kind: 'create'; readonly group: string }
  | { readonly kind: 'delete'; readonly group: string }
  | { readonly kind: 'add'; readonly group: string; readonly who: users.UserReference }
  | { readonly kind: 'remove'; readonly group: string; readonly who: users.UserReference }

/** Makes or deletes a group, or changes its members. */
export async function changeGroup(
  services: Pick<Services, 'db' | 'now' | 'newId' | 'policy'>,
  change: GroupChange,
  by: Administrator,
): Promise<ChangeGroupOutcome> {
  const now = services.now()
  const { group } = change
  const problem = groupNameProblem(group)
  if (problem !== undefined) return { kind: 'unsuitable-name', problem }
  return services.db.transaction().execute(async (tx): Promise<ChangeGroupOutcome> => {
    await allow(tx, services, { by, now })
    if (change.kind === 'create') {
      if (!(await groups.insert(tx, group, now))) return { kind: 'already-so' }
      await record(services, tx, { now, by }, { event: 'group-created', group })
      return { kind: 'changed' }
    }
    if (!(await groups.hold(tx, group))) return { kind: 'no-such-group' }
    if (change.kind === 'delete') {
      await groups.remove(tx, group)
      await record(services, tx, { now, by }, { event: 'group-deleted', group })
      return { kind: 'changed' }
    }
    const user = await users.findByReference(tx, change.who)
    if (user === undefined || !(await users.hold(tx, user.id))) return { kind: 'no-such-user' }
    const { done, event } = await changeMember(tx, change.kind, group, user)
    if (!done) return { kind: 'already-so' }
    await record(services, tx, { now, by, userId: user.id }, event)
    return { kind: 'changed' }
  })
}

async function changeMember(
  tx: Db,
  kind: 'add' | 'remove',
  group: string,
  { id }: users.UserWithPassword,
): Promise<{ done: boolean; event: AuditEvent }> {
  if (kind === 'add')
    return { done: await groups.addMember(tx, group, id), event: { event: 'group-member-added', group } }
  return { done: await groups.removeMember(tx, group, id), event: { event: 'group-member-removed', group } }
}
