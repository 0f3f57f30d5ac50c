import { hash as argon2 } from '@node-rs/argon2'
import { newId, newToken } from '../../src/crypto/random.ts'
import { formatRecoveryCode, recoveryCodeFrom } from '../../src/domain/otp/recovery-code.ts'
import { totpCode } from '../../src/domain/otp/totp.ts'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as groups from '../../src/store/groups.ts'
import * as invitations from '../../src/store/invitations.ts'
import * as knownBrowsers from '../../src/store/known-browsers.ts'
import * as logins from '../../src/store/logins.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import * as recoveryCodes from '../../src/store/recovery-codes.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { groupsOf } from '../../src/store/views/groups-of.ts'

export const OLD_PASSWORD = 'old password of many words'
export const NEW_PASSWORDS = ['first password of many words', 'second password of many words'] as const

/** A user with everything that sign-ins and changes can be about. */
export interface Person {
  readonly id: UserId
  readonly username: string
  /** Devices by name: `phone` and `token` are confirmed, `tablet` waits for its first code. */
  readonly devices: ReadonlyMap<string, string>
  /** The code of a device that is good now, or at another time. */
  code(device: string, at?: number): string
  /** Two sessions, and two logins that wait for a code. */
  readonly sessionTokens: readonly [Token, Token]
  readonly loginTokens: readonly [Token, Token]
  readonly recoveryCodes: readonly [string, string]
  /** An invitation to choose another password. */
  readonly invitation: Token
  /** A group that they are not in. */
  readonly group: string
}

/** Of a cost that is not today's, so that each sign-in replaces it. */
const outdatedHash = argon2(OLD_PASSWORD, {
  memoryCost: 16,
  timeCost: 1,
  parallelism: 1,
  outputLen: 32,
}).then((text) => text as PasswordHash)

async function hashOf(services: Services, text: string): Promise<PasswordHash> {
  using turn = services.hasher.enter()
  if (turn === undefined) throw new Error('the queue is full')
  return turn.hash(text)
}

/** Stores a person; the newcomer has no second factor yet, and the login's enrolment is pending. */
export async function makePerson(services: Services, kind: 'enrolled' | 'newcomer'): Promise<Person> {
  const id = newId() as UserId
  const username = `person-${id}`
  const now = services.now()
  const hash = await outdatedHash
  const keys = new Map(['phone', 'token', 'tablet'].map((name) => [name, services.entropy(20)] as const))
  const devices = new Map([...keys.keys()].map((name) => [name, newId()] as const))
  const codes = [0, 1].map((index) => recoveryCodeFrom(index, services.entropy(10)))
  const codeHashes = await Promise.all(codes.map(({ secret }) => hashOf(services, secret)))
  const sessionTokens = [newToken(), newToken()] as const
  const loginTokens = [newToken(), newToken()] as const
  const invitation = newToken()
  const isEnrolled = kind === 'enrolled'
  const group = `group-${id}`

  await services.db.transaction().execute(async (tx) => {
    await users.insert(tx, { id, username, displayName: '', isSuperuser: false }, now)
    await passwordHashes.put(tx, id, { hash, mustChange: false, now })
    for (const [name, key] of keys) {
      const deviceId = devices.get(name) ?? ''
      const device: otpDevices.NewOtpDevice = {
        ...{ id: deviceId, userId: id, kind: 'totp', name, algorithm: 'sha1', digits: 6, period: 30, t0: 0 },
        ...{ drift: 0, lastUsedStep: -1, counter: 0, createdAt: now },
        sealedKey: services.sealer.seal(key, { purpose: 'otp-key', userId: id, deviceId }),
      }
      if (name === 'tablet') await otpDevices.putPending(tx, device, now + 600)
      else if (isEnrolled) await otpDevices.insertConfirmed(tx, device, now)
    }
    await groups.insert(tx, group, now)
    if (isEnrolled) {
      await users.setSecondFactor(tx, id, true)
      await recoveryCodes.replaceAll(tx, id, codeHashes, { now, expiresAt: null })
    }
    for (const token of sessionTokens) {
      await sessions.insert(tx, {
        ...{ id: newId(), userId: id, amr: isEnrolled ? ['pwd', 'otp'] : ['pwd'], authTime: now },
        ...{ createdAt: now, lastSeenAt: now, expiresAt: now + 3600, address: '', userAgent: '' },
        tokenHash: hashToken(token),
      })
    }
    for (let count = 0; count < 2; count++) {
      const browser = { tokenHash: hashToken(newToken()), userId: id }
      await knownBrowsers.put(tx, browser, { now, expiresAt: now + 3600 })
    }
    const invited = { kind: 'invite', userId: id, tokenHash: hashToken(invitation) } as const
    await invitations.replace(tx, invited, { now, expiresAt: now + 600 })
    for (const token of loginTokens) {
      const login = { tokenHash: hashToken(token), userId: id, amr: ['pwd'], epoch: 1 } as const
      await logins.insert(tx, login, { now, expiresAt: now + 600 })
    }
  })
  const code = (device: string, at = now) => {
    const key = keys.get(device)
    if (key === undefined) throw new Error(`no device ${device}`)
    return totpCode(key, Math.floor(at / 30), { algorithm: 'sha1', digits: 6 })
  }
  const [one = '', two = ''] = codes.map(formatRecoveryCode)
  return {
    id,
    username,
    devices,
    code,
    sessionTokens,
    loginTokens,
    recoveryCodes: [one, two],
    invitation,
    group,
  }
}

/** What is left of a person in the end, as far as it decides who gets in: the same words mean the same rights. */
export async function stateOf(services: Services, { id }: Person): Promise<string> {
  const { db } = services
  const user = await users.findById(db, id)
  if (user === undefined) return 'deleted'
  const now = services.now()
  const devices = await otpDevices.listConfirmed(db, id)
  const pending = await otpDevices.findPending(db, id, now)
  const alive = await sessions.listOf(db, id)
  const waiting = await db.selectFrom('login').selectAll().where('user_id', '=', id).execute()
  return JSON.stringify({
    disabled: user.disabled,
    hasSecondFactor: user.hasSecondFactor,
    mustChange: user.mustChangePassword,
    password: await passwordOf(services, user.passwordHash),
    devices: devices.map(({ name, disabled }) => `${name}${disabled ? ' off' : ''}`).toSorted(),
    pending: pending?.name,
    invited: (await invitations.findEnd(db, id, now)) !== undefined,
    groups: (await groupsOf(db, id)).length,
    recoveryCodes: await recoverySetOf(services, id),
    sessions: alive.map(({ amr }) => amr.join('+')).toSorted(),
    // A login of an earlier epoch opens nothing any more.
    logins: waiting
      .filter(({ epoch }) => epoch === user.epoch)
      .map(({ amr }) => amr)
      .toSorted(),
  })
}

/** Whose codes are there; a code that was burnt by a sign-in that came too late makes no difference. */
async function recoverySetOf({ db, now }: Services, id: UserId): Promise<string> {
  const rows = await db.selectFrom('recovery_code').selectAll().where('user_id', '=', id).execute()
  if (rows.some(({ expires_at }) => expires_at !== null))
    return rows.length === 1 ? 'of the operator' : 'mixed'
  const left = await recoveryCodes.countLeft(db, id, now())
  if (left === 0) return 'none'
  return left > 2 ? 'new' : 'old'
}

async function passwordOf(services: Services, stored: PasswordHash | undefined): Promise<string> {
  using turn = services.hasher.enter()
  for (const candidate of [OLD_PASSWORD, ...NEW_PASSWORDS]) {
    if (await turn?.verify(stored, candidate)) return candidate
  }
  return 'none'
}
