import type { UserId } from '../../../src/domain/user.ts'
import type { Services } from '../../../src/services.ts'
import type { Db } from '../../../src/store/database.ts'
import * as groups from '../../../src/store/groups.ts'
import * as otpDevices from '../../../src/store/otp-devices.ts'
import * as passwordHashes from '../../../src/store/password-hashes.ts'
import * as users from '../../../src/store/users.ts'
import { leastHash } from '../least-hash.ts'
import type { Random } from '../random.ts'
import { groups as groupNames } from './choose.ts'
import { type Authenticator, agreesWithOathtool, stepNow } from './codes.ts'
import { newPerson, type Person } from './person.ts'
import type { World } from './world.ts'

const PASSWORD = 'violet anvil under 7 moons'

export interface Population {
  readonly people: readonly Person[]
  /** Somebody apart from the people, to whom nobody does anything. */
  readonly admin: Person
}

/**
 * Puts people into an empty database: a third with an app, a third with a hardware token, a third with both.
 *
 * Whoever has a token can sign in as often as they like; an app gives a code each 30 seconds.
 */
export async function populate(
  services: Services,
  { many, newcomers, random }: { many: number; newcomers: number; random: Random },
): Promise<Population> {
  const hash = await leastHash(PASSWORD)
  return services.db.transaction().execute(async (tx) => {
    const now = services.now()
    const put = async (username: string, kinds: readonly Authenticator['kind'][], place: number) => {
      const id = services.newId() as UserId
      const isSuperuser = username === 'admin'
      await users.insert(tx, { id, username, displayName: '', isSuperuser }, now)
      await passwordHashes.put(tx, id, { hash, mustChange: false, now })
      await users.setSecondFactor(tx, id, true)
      const devices: Authenticator[] = []
      for (const kind of kinds) devices.push(await give(tx, services, id, { kind, random }))
      return newPerson(username, { id, address: addressOf(place), world: worldOf(devices) })
    }
    for (const name of groupNames) await groups.insert(tx, name, now)
    const people: Person[] = []
    for (let place = 0; place < many; place++) {
      const kinds = ([['totp'], ['hotp'], ['totp', 'hotp']] as const)[place % 3] ?? []
      people.push(await put(`person${place}`, kinds, place))
    }
    for (let place = many; place < many + newcomers; place++) {
      const world = { ...worldOf([]), isThere: false, password: '' }
      people.push(newPerson(`newcomer${place}`, { id: '', address: addressOf(place), world }))
    }
    const admin = await put('admin', ['hotp'], many + newcomers)
    const [sample] = admin.world.devices
    if (sample === undefined || !agreesWithOathtool(sample.key))
      throw new Error('oathtool makes other codes.')
    return { people, admin }
  })
}

async function give(
  tx: Db,
  { newId, now: clock, sealer }: Services,
  userId: UserId,
  { kind, random }: { kind: Authenticator['kind']; random: Random },
): Promise<Authenticator> {
  const key = random.bytes(20)
  const id = newId()
  const now = clock()
  const used = kind === 'totp' ? stepNow() - 2 : -1
  await otpDevices.insertConfirmed(
    tx,
    {
      ...{ id, userId, kind, name: kind },
      sealedKey: sealer.seal(key, { purpose: 'otp-key', userId, deviceId: id }),
      ...{ algorithm: 'sha1', digits: 6, period: 30, t0: 0, drift: 0 },
      ...{ lastUsedStep: kind === 'totp' ? used : -1, counter: 0, createdAt: now },
    },
    now,
  )
  return { kind, key, name: '', used }
}

const worldOf = (devices: Authenticator[]): World => ({
  ...{ isThere: true, isDisabled: false, password: PASSWORD, devices },
  ...{ recoveryCodes: [], sessions: [], appPasswords: [], groups: [], events: {} },
  unseen: { sessions: 0, recoveryCodes: 0, appPasswords: 0 },
})

/** Everybody has an address of their own. */
const addressOf = (place: number) => `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`
