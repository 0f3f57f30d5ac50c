import { addDevice } from '../../src/actions/add-device.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { timeStepAt, totpCode } from '../../src/domain/otp/totp.ts'
import { formKeyOf, hashToken } from '../../src/domain/token.ts'
import * as groups from '../../src/store/groups.ts'
import * as logins from '../../src/store/logins.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { LOGIN, operator, SESSION } from '../../test/http/journeys.ts'
import type { World } from '../../test/world.ts'

/** Whoever calls, with what their browser holds. */
export interface Caller {
  readonly cookie: string
  /** The key of the forms of their pages. */
  readonly formKey: string
}

/** Everybody whom a hostile caller may be, and what there is for them to name. */
export interface Callers {
  readonly stranger: Caller
  /** With a password that was right, and a code to come; to enrol; to choose another password. */
  readonly waiting: Caller
  readonly enrolling: Caller
  readonly member: Caller
  readonly admin: Caller
  readonly username: string
  readonly ids: readonly string[]
  readonly group: string
  /** The code of the member at this moment. */
  readonly code: string
}

const parameters = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const

/** Makes them, without a single hash that costs anything. */
export async function makeCallers(world: World, key: Buffer, number: number): Promise<Callers> {
  const { db, now: clock } = world.services
  const now = clock()
  const group = `group${number}`
  await groups.insert(db, group, now)
  const [memberName, adminName, newName] = [`member${number}`, `admin${number}`, `newcomer${number}`]
  const member = await world.user(memberName)
  const admin = await world.user(adminName, { isSuperuser: true })
  const newcomer = await world.user(newName)
  await groups.addMember(db, group, member)
  const token = { kind: 'totp', name: 'Phone', key, ...parameters, counter: 0 } as const
  const devices: string[] = []
  for (const username of [memberName, adminName]) {
    const added = await addDevice(world.services, username, token, operator)
    if (added.kind !== 'added') throw new Error(added.kind)
    devices.push(added.id)
  }
  const wanted = { name: 'git', policies: ['two-factor'], days: undefined }
  const made = await makeAppPasswordFor(world.services, memberName, { wanted, by: operator })
  if (made.kind !== 'made') throw new Error(made.kind)

  const signedIn = async (userId: typeof member): Promise<Caller & { readonly id: string }> => {
    const [id, value] = [newId(), newToken()]
    await sessions.insert(db, {
      ...{ id, userId, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
      ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(value) },
    })
    await sessions.touchAdmin(db, id, now)
    return { id, cookie: `${SESSION}=${value}`, formKey: formKeyOf(value) }
  }
  const waiting = async (userId: typeof member): Promise<Caller> => {
    const value = newToken()
    const user = await users.findById(db, userId)
    if (user === undefined) throw new Error('The user is gone.')
    const login = { userId, amr: ['pwd'], epoch: user.epoch, tokenHash: hashToken(value) } as const
    await logins.insert(db, login, { now, expiresAt: now + 600 })
    return { cookie: `${LOGIN}=${value}`, formKey: formKeyOf(value) }
  }
  const own = newToken()
  const memberSession = await signedIn(member)
  const adminSession = await signedIn(admin)
  return {
    stranger: { cookie: `__Host-watchword-form=${own}`, formKey: formKeyOf(own) },
    waiting: await waiting(member),
    enrolling: await waiting(newcomer),
    member: memberSession,
    admin: adminSession,
    username: memberName,
    ids: [member, newcomer, ...devices, made.id, memberSession.id],
    group,
    code: totpCode(key, timeStepAt(now, parameters), parameters),
  }
}
