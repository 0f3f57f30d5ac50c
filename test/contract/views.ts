import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import { StorageFault } from '../../src/domain/faults.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as appPasswords from '../../src/store/app-passwords.ts'
import * as auditLog from '../../src/store/audit-log.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import * as groups from '../../src/store/groups.ts'
import * as invitations from '../../src/store/invitations.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import * as recoveryCodes from '../../src/store/recovery-codes.ts'
import * as resetRequests from '../../src/store/reset-requests.ts'
import * as users from '../../src/store/users.ts'
import { keysInUse } from '../../src/store/views/keys-in-use.ts'
import { type EventSelection, listAuditEvents } from '../../src/store/views/list-audit.ts'
import { listDeviceOwners } from '../../src/store/views/list-device-owners.ts'
import { listGroupNames } from '../../src/store/views/list-group-names.ts'
import { listGroups } from '../../src/store/views/list-groups.ts'
import { listUsers } from '../../src/store/views/list-users.ts'
import {
  ownDevices,
  ownSessions,
  passwordChangedAt,
  recoveryCodesLeft,
  recoveryCodesMadeAt,
} from '../../src/store/views/own-account.ts'
import { findShownUser } from '../../src/store/views/show-user.ts'
import { anAppPassword } from './app-passwords.ts'
import { aCodeWindow } from './code-windows.ts'
import { aDevice, aHash, aTokenHash, makeSession, makeUser, NOW, plain } from './people.ts'
import type { Opened } from './store.ts'

/** The read-only queries. */
export function viewContract(open: Opened): void {
  describe('the list of users', () => {
    it('goes by canonical name, a part at a time, and selects', async () => {
      const db = open()
      const group = `g-${newId()}`
      await groups.insert(db, group, NOW)
      const mark = newId()
      const bob = await makeUser(db, `Bob-${mark}`, { displayName: 'The 100%_Builder!' })
      const alice = await makeUser(db, `alice-${mark}`, { isSuperuser: true })
      const carol = await makeUser(db, `CAROL-${mark}`)
      await passwordHashes.put(db, bob, { hash: aHash(), mustChange: false, now: NOW })
      await otpDevices.insertConfirmed(db, aDevice(bob), NOW)
      await otpDevices.insertConfirmed(db, aDevice(carol), NOW)
      await otpDevices.disableAll(db, carol, NOW)
      await users.setDisabled(db, alice, NOW)
      await users.claimSignIn(db, bob, 1, NOW + 5)
      for (const id of [alice, bob]) await groups.addMember(db, group, id)
      const names = async (selection: object) => {
        const { users: listed, more } = await listUsers(db, { search: mark, limit: 10, ...selection })
        return [listed.map(({ username }) => username.split('-')[0]), more]
      }
      assert.deepEqual(await names({}), [['alice', 'Bob', 'CAROL'], false])
      assert.deepEqual(await names({ limit: 2 }), [['alice', 'Bob'], true])
      assert.deepEqual(await names({ limit: 2, after: `BOB-${mark}` }), [['CAROL'], false])
      assert.deepEqual(await names({ filter: 'disabled' }), [['alice'], false])
      assert.deepEqual(await names({ filter: 'superuser' }), [['alice'], false])
      assert.deepEqual(await names({ filter: 'no-second-factor' }), [['alice', 'CAROL'], false])
      assert.deepEqual(await names({ group }), [['alice', 'Bob'], false])
      assert.deepEqual(await names({ search: `BOB-${mark}` }), [['Bob'], false])
      assert.deepEqual(await names({ search: '100%_b', group }), [['Bob'], false])
      assert.deepEqual(await names({ search: '100%%b', group }), [[], false])
      assert.deepEqual(await names({ search: 'builder!', group }), [['Bob'], false])
      assert.deepEqual(await names({ filter: 'never-signed-in' }), [['alice', 'CAROL'], false])
      assert.deepEqual(await names({ filter: 'never-signed-in', limit: 1 }), [['alice'], true])
      assert.deepEqual(await names({ notSeenSince: NOW + 5 }), [['alice', 'CAROL'], false])
      assert.deepEqual(await names({ notSeenSince: NOW + 6 }), [['alice', 'Bob', 'CAROL'], false])
      assert.deepEqual(await names({ ids: [bob, carol] }), [['Bob', 'CAROL'], false])
      assert.deepEqual(await names({ ids: [] }), [[], false])
      assert.deepEqual((await listUsers(db, { search: `bob-${mark}`, limit: 1 })).users, [
        {
          id: bob,
          username: `Bob-${mark}`,
          displayName: 'The 100%_Builder!',
          isSuperuser: false,
          disabled: false,
          hasUsableDevice: true,
          hasPassword: true,
          createdAt: NOW,
          lastSignInAt: NOW + 5,
        },
      ])
    })
  })

  describe('the view of one user', () => {
    it('tells all but secrets', async () => {
      const db = open()
      const username = `Shown-${newId()}`
      const id = await makeUser(db, username, { displayName: 'Shown', isSuperuser: true })
      const group = `g-${newId()}`
      await groups.insert(db, group, NOW)
      await groups.addMember(db, group, id)
      await passwordHashes.put(db, id, { hash: aHash(), mustChange: true, now: NOW + 1 })
      await recoveryCodes.replaceAll(db, id, [aHash(), aHash()], { now: NOW, expiresAt: null })
      const { sealedKey, ...device } = aDevice(id)
      await otpDevices.insertConfirmed(db, { ...device, sealedKey }, NOW)
      const { secretHash, ...appPassword } = anAppPassword(id)
      await appPasswords.insert(db, { ...appPassword, secretHash })
      const { credentialHash, ...codeWindow } = aCodeWindow(id)
      await codeWindows.insert(db, { ...codeWindow, credentialHash })
      const { tokenHash, ...session } = await makeSession(db, id)
      const shown = await findShownUser(db, username.toUpperCase(), NOW)
      assert.deepEqual(shown, {
        id,
        username,
        displayName: 'Shown',
        isSuperuser: true,
        hasSecondFactor: false,
        createdAt: NOW,
        disabledAt: undefined,
        lastSignInAt: undefined,
        passwordChangedAt: NOW + 1,
        mustChangePassword: true,
        groups: [group],
        devices: [{ ...device, confirmed: true, disabled: false, lastUsedAt: undefined }],
        enrolmentPending: false,
        sessions: [session],
        recoveryCodesLeft: 2,
        appPasswords: [{ ...appPassword, lastUsedAt: undefined, lastUsedAddress: undefined }],
        codeWindows: [{ ...codeWindow, lastUsedAt: NOW }],
        invitedUntil: undefined,
        resetRequest: undefined,
      })
      assert.equal(
        JSON.stringify(shown).includes(sealedKey) || JSON.stringify(shown).includes(tokenHash),
        false,
      )
      await otpDevices.putPending(db, aDevice(id), NOW + 600)
      assert.equal((await findShownUser(db, username, NOW))?.enrolmentPending, true)
      assert.equal((await findShownUser(db, username, NOW + 600))?.enrolmentPending, false)
      assert.equal((await findShownUser(db, { id }, NOW))?.username, username)
      const invitation = { kind: 'invite', userId: id, tokenHash: aTokenHash() } as const
      await invitations.replace(db, invitation, { now: NOW, expiresAt: NOW + 10 })
      const request = { userId: id, requestedBy: id, requestedAt: NOW, expiresAt: NOW + 10 }
      await resetRequests.put(db, request)
      const asked = await findShownUser(db, username, NOW)
      assert.deepEqual([asked?.invitedUntil, asked?.resetRequest], [NOW + 10, request])
      const over = await findShownUser(db, username, NOW + 10)
      assert.deepEqual([over?.invitedUntil, over?.resetRequest], [undefined, undefined])
      assert.equal(await findShownUser(db, `${username}-not`, NOW), undefined)
    })

    it('shows owners their devices without the secret and the sessions that hold', async () => {
      const db = open()
      const id = await makeUser(db)
      const device = aDevice(id)
      await otpDevices.insertConfirmed(db, device, NOW)
      await recoveryCodes.replaceAll(db, id, [aHash()], { now: NOW, expiresAt: NOW + 10 })
      const rules = { idleTimeout: 3600, absoluteLifetime: 43_200, freshFor: 300 }
      await makeSession(db, id, { lastSeenAt: NOW - 3600 })
      await makeSession(db, id, { expiresAt: NOW })
      const alive = await makeSession(db, id)
      const devices = await ownDevices(db, id)
      assert.deepEqual(
        devices.map((own) => [own.id, 'sealedKey' in own]),
        [[device.id, false]],
      )
      assert.deepEqual(
        (await ownSessions(db, id, rules, NOW)).map((own) => own.id),
        [alive.id],
      )
      assert.deepEqual(
        [await recoveryCodesLeft(db, id, NOW), await recoveryCodesLeft(db, id, NOW + 10)],
        [1, 0],
      )
    })
  })

  describe('the dates of one’s own account', () => {
    it('are told as long as what they are of is there', async () => {
      const db = open()
      const id = await makeUser(db)
      assert.equal(await passwordChangedAt(db, id), undefined)
      assert.equal(await recoveryCodesMadeAt(db, id, NOW), undefined)
      await passwordHashes.put(db, id, { hash: aHash(), mustChange: false, now: NOW - 7 })
      await recoveryCodes.replaceAll(db, id, [aHash()], { now: NOW - 5, expiresAt: NOW + 5 })
      assert.equal(await passwordChangedAt(db, id), NOW - 7)
      assert.equal(await recoveryCodesMadeAt(db, id, NOW), NOW - 5)
      assert.equal(await recoveryCodesMadeAt(db, id, NOW + 5), undefined)
    })
  })

  describe('the other lists', () => {
    it('list groups with how many are in them', async () => {
      const db = open()
      const mark = newId()
      const [full, empty] = [`b-${mark}`, `a-${mark}`]
      await groups.insert(db, full, NOW)
      await groups.insert(db, empty, NOW + 1)
      for (let count = 0; count < 2; count++) await groups.addMember(db, full, await makeUser(db))
      const listed = (await listGroups(db)).filter(({ name }) => name.endsWith(mark))
      assert.deepEqual(listed, [
        { name: empty, members: 0, createdAt: NOW + 1 },
        { name: full, members: 2, createdAt: NOW },
      ])
      const names = (await listGroupNames(db)).filter((name) => name.endsWith(mark))
      assert.deepEqual(names, [empty, full])
    })

    it('name the owners of devices and the keys that something is sealed with', async () => {
      const db = open()
      const username = `Owner-${newId()}`
      const device = aDevice(await makeUser(db, username), { sealedKey: 'v1.feedface.xyz', name: 'token' })
      await otpDevices.insertConfirmed(db, device, NOW)
      assert.deepEqual(plain(await listDeviceOwners(db, [device.id, newId()])), [
        { id: device.id, name: 'token', username },
      ])
      assert.deepEqual(await listDeviceOwners(db, []), [])
      assert.deepEqual(await keysInUse(db, ['feedfac', 'feedface', 'deadbeef']), ['feedface'])
    })
  })

  describe('the list of events', () => {
    it('selects by user and event together: these alone, either way, and goes on by key', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const append = async (about: UserId, event: 'user-enabled' | 'user-disabled', at: number) => {
        const id = newId()
        const origin = { address: undefined, userAgent: undefined, requestId: undefined }
        await auditLog.append(db, {
          ...{ event, id, at, userId: about, actor: { kind: 'operator', name: 'root' } },
          ...origin,
        })
        return id
      }
      const wanted: string[] = []
      for (let step = 0; step < 12; step++) {
        // Three in the same second: their identifiers decide.
        const at = NOW + Math.floor(step / 3)
        await append(userId, 'user-disabled', at)
        await append(other, 'user-enabled', at)
        wanted.push(await append(userId, 'user-enabled', at))
      }
      for (const order of ['oldest-first', 'latest-first'] as const) {
        const expected = order === 'oldest-first' ? wanted : wanted.toReversed()
        const found: string[] = []
        for (let after: EventSelection['after']; ; ) {
          const part = await listAuditEvents(db, { userId, event: 'user-enabled', order, after, limit: 5 })
          found.push(...part.map(({ id }) => id))
          after = part.at(-1)
          if (part.length < 5) break
        }
        assert.deepEqual(found, expected)
      }
      const days = { since: NOW + 1, until: NOW + 3, order: 'oldest-first', limit: 50 } as const
      const between = await listAuditEvents(db, { userId, event: 'user-enabled', ...days })
      assert.deepEqual(
        between.map(({ id }) => id),
        wanted.slice(3, 9),
      )
    })

    it('goes by time in parts, either way, and selects', async () => {
      const db = open()
      const username = `Watched-${newId()}`
      const userId = await makeUser(db, username)
      // Two in the same second: their identifiers decide.
      const ids = [newId(), newId(), newId(), newId()] as const
      const times = [NOW, NOW + 1, NOW + 1, NOW + 2]
      for (const [index, id] of ids.entries()) {
        const event =
          index === 3 ? ({ event: 'user-disabled' } as const) : ({ event: 'user-enabled' } as const)
        await auditLog.append(db, {
          ...event,
          id,
          at: times[index] ?? NOW,
          actor: { kind: 'operator', name: 'root' },
          userId,
          address: undefined,
          userAgent: undefined,
          requestId: undefined,
        })
      }
      const list = (selection: Partial<EventSelection>) =>
        listAuditEvents(db, { userId, order: 'oldest-first', limit: 10, ...selection })
      const found = async (selection: Partial<EventSelection>) => {
        const listed = await list(selection)
        return listed.map(({ id }) => ids.indexOf(id))
      }
      assert.deepEqual(await found({}), [0, 1, 2, 3])
      assert.deepEqual(await found({ order: 'latest-first' }), [3, 2, 1, 0])
      assert.deepEqual(await found({ since: NOW + 1, until: NOW + 2 }), [1, 2])
      assert.deepEqual(await found({ event: 'user-disabled' }), [3])
      for (const order of ['oldest-first', 'latest-first'] as const) {
        const inParts: number[] = []
        let last: EventSelection['after']
        for (;;) {
          const [event] = await list({ order, after: last, limit: 1 })
          if (event === undefined) break
          inParts.push(ids.indexOf(event.id))
          last = event
        }
        assert.deepEqual(inParts, order === 'oldest-first' ? [0, 1, 2, 3] : [3, 2, 1, 0])
      }
      const [first] = await list({ limit: 1 })
      assert.deepEqual(first, {
        id: ids[0],
        at: NOW,
        event: 'user-enabled',
        outcome: 'success',
        actor: { kind: 'operator', id: 'root' },
        userId,
        username,
        address: undefined,
        userAgent: undefined,
        requestId: undefined,
        fields: {},
      })
      await users.remove(db, userId)
      assert.deepEqual(
        (await list({ limit: 1 })).map((event) => [event.userId, event.username]),
        [[userId, undefined]],
      )
    })

    it('says which event is damaged', async () => {
      const db = open()
      const id = newId()
      await db
        .insertInto('audit_event')
        .values({
          id,
          at: NOW,
          event: 'user-enabled',
          outcome: 'success',
          actor_kind: 'system',
          actor_id: null,
          user_id: id,
          address: null,
          user_agent: null,
          request_id: null,
          fields: '{"half":',
        })
        .execute()
      const listing = listAuditEvents(db, { userId: id, order: 'oldest-first', limit: 1 })
      await assert.rejects(
        listing,
        (error: Error) => error instanceof StorageFault && error.message.includes(id),
      )
    })
  })
}
