import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as groups from '../../src/store/groups.ts'
import * as knownBrowsers from '../../src/store/known-browsers.ts'
import * as logins from '../../src/store/logins.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import * as recoveryCodes from '../../src/store/recovery-codes.ts'
import * as users from '../../src/store/users.ts'
import { groupsOf } from '../../src/store/views/groups-of.ts'
import { aDevice, aHash, aTokenHash, everyKindOfText, makeSession, makeUser, NOW, plain } from './people.ts'
import type { Opened } from './store.ts'

const nobody = 'nobody' as UserId

/** users, password-hashes and groups. */
export function userContract(open: Opened): void {
  describe('users', () => {
    it('gives back a user as it was made', async () => {
      const db = open()
      const id = await makeUser(db, 'Gréta.Ö+1@example', { displayName: 'Gréta Ö', isSuperuser: true })
      assert.deepEqual(await users.findById(db, id), {
        id,
        username: 'Gréta.Ö+1@example',
        displayName: 'Gréta Ö',
        isSuperuser: true,
        hasSecondFactor: false,
        epoch: 1,
        disabled: false,
        mustChangePassword: false,
        passwordHash: undefined,
      })
      assert.equal(await users.findById(db, nobody), undefined)
      assert.equal(await users.exist(db), true)
    })

    it('finds a user by every spelling of the name and takes none of them twice (SEC-INP-7, L-31)', async () => {
      const db = open()
      const spellings = ['Straße-Iſ', 'STRASSE-IS', 'strasse-is', 'ｓtrasse-ıs', 'Strasse-İs']
      const id = await makeUser(db, spellings[0])
      for (const spelling of spellings) {
        assert.equal((await users.findByUsername(db, spelling))?.id, id, spelling)
        const other = { id: newId() as UserId, username: spelling, displayName: '', isSuperuser: false }
        assert.equal(await users.insert(db, other, NOW), false, spelling)
        assert.equal(await users.findById(db, other.id), undefined)
      }
      for (const typed of ['strasse', '', 'a b', 'x\0y', "' or 1=1 --"]) {
        assert.equal(await users.findByUsername(db, typed), undefined, typed)
      }
    })

    it('makes one user of one name, though many ask at once', async () => {
      const db = open()
      const made = await Promise.all(
        Array.from({ length: 16 }, (_, index) => {
          const username = index % 2 === 0 ? 'Twin' : 'tWIN'
          return users.insert(
            db,
            { id: newId() as UserId, username, displayName: '', isSuperuser: false },
            NOW,
          )
        }),
      )
      assert.equal(made.filter(Boolean).length, 1)
    })

    it('keeps every kind of text as it was', async () => {
      const db = open()
      for (const displayName of everyKindOfText) {
        const id = await makeUser(db, undefined, { displayName })
        assert.equal((await users.findById(db, id))?.displayName, displayName)
      }
    })

    it('claims a sign-in only in the epoch that was seen, and not of the disabled (SEC-AUTH-19)', async () => {
      const db = open()
      const id = await makeUser(db)
      assert.equal(await users.claimSignIn(db, id, 1, NOW + 5), true)
      assert.equal(await users.claimSignIn(db, id, 0, NOW), false)
      assert.equal(await users.claimSignIn(db, id, 2, NOW), false)
      assert.equal(await users.claimSignIn(db, nobody, 1, NOW), false)
      const row = () =>
        db.selectFrom('user').select('last_sign_in_at').where('id', '=', id).executeTakeFirstOrThrow()
      assert.equal((await row()).last_sign_in_at, NOW + 5)
      await db.updateTable('user').set({ disabled_at: NOW }).where('id', '=', id).execute()
      assert.equal(await users.claimSignIn(db, id, 1, NOW + 6), false)
      assert.equal((await row()).last_sign_in_at, NOW + 5)
    })

    it('moves the epoch, and of two who saw the same one lets one through', async () => {
      const db = open()
      const id = await makeUser(db)
      assert.equal(await users.advanceEpoch(db, id), true)
      assert.equal(await users.advanceEpoch(db, nobody), false)
      assert.equal((await users.findById(db, id))?.epoch, 2)
      const claims = await Promise.all(Array.from({ length: 8 }, () => users.claimEpoch(db, id, 2)))
      assert.deepEqual(claims.toSorted(), [...Array(7).fill(false), true])
      assert.equal((await users.findById(db, id))?.epoch, 3)
      await users.setDisabled(db, id, NOW)
      assert.equal(await users.claimEpoch(db, id, 4), false)
      assert.equal(await users.claimEpoch(db, nobody, 1), false)
    })

    it('disables and enables once each, and each moves the epoch', async () => {
      const db = open()
      const id = await makeUser(db)
      assert.equal(await users.setDisabled(db, id, null), false)
      assert.equal(await users.setDisabled(db, id, NOW), true)
      assert.equal(await users.setDisabled(db, id, NOW + 1), false)
      assert.deepEqual(pick(await users.findById(db, id)), { disabled: true, epoch: 2 })
      assert.equal(await users.setDisabled(db, id, null), true)
      assert.deepEqual(pick(await users.findById(db, id)), { disabled: false, epoch: 3 })
      assert.equal(await users.setDisabled(db, nobody, NOW), false)
    })

    it('holds a user who is there, changing nothing', async () => {
      const db = open()
      const id = await makeUser(db)
      const before = await users.findById(db, id)
      assert.deepEqual([await users.hold(db, id), await users.hold(db, nobody)], [true, false])
      assert.deepEqual([await users.holdEpoch(db, id, 1), await users.holdEpoch(db, id, 2)], [true, false])
      assert.deepEqual(await users.findById(db, id), before)
      await users.setDisabled(db, id, NOW)
      assert.deepEqual([await users.hold(db, id), await users.holdEpoch(db, id, 2)], [true, false])
    })

    it('remembers that there is a second factor', async () => {
      const db = open()
      const [id, other] = [await makeUser(db), await makeUser(db)]
      await users.setSecondFactor(db, id, true)
      assert.equal((await users.findById(db, id))?.hasSecondFactor, true)
      assert.equal((await users.findById(db, other))?.hasSecondFactor, false)
      await users.setSecondFactor(db, id, false)
      assert.equal((await users.findById(db, id))?.hasSecondFactor, false)
    })

    it('deletes a user with all that is theirs, and nothing of others', async () => {
      const db = open()
      const group = `g-${newId()}`
      await groups.insert(db, group, NOW)
      const [gone, stays] = [await makeUser(db), await makeUser(db)]
      for (const userId of [gone, stays]) {
        await passwordHashes.put(db, userId, { hash: aHash(), mustChange: false, now: NOW })
        await otpDevices.insertConfirmed(db, aDevice(userId), NOW)
        await otpDevices.putPending(db, aDevice(userId), NOW + 600)
        await recoveryCodes.replaceAll(db, userId, [aHash()], { now: NOW, expiresAt: null })
        await groups.addMember(db, group, userId)
        const login = { tokenHash: aTokenHash(), userId, amr: ['pwd'], epoch: 1 } as const
        await logins.insert(db, login, { now: NOW, expiresAt: NOW + 600 })
        await makeSession(db, userId)
        await knownBrowsers.put(db, { tokenHash: aTokenHash(), userId }, { now: NOW, expiresAt: NOW + 1 })
      }
      const tables = [
        ...(['password_hash', 'otp_device', 'recovery_code', 'group_member'] as const),
        ...(['login', 'session', 'known_browser'] as const),
      ]
      const rowsOf = async (userId: UserId) => {
        const counts = tables.map(async (table) => {
          const rows = await db.selectFrom(table).select('user_id').where('user_id', '=', userId).execute()
          return [table, rows.length] as const
        })
        return Object.fromEntries(await Promise.all(counts))
      }
      const whole = Object.fromEntries(tables.map((table) => [table, table === 'otp_device' ? 2 : 1]))
      assert.deepEqual(await rowsOf(gone), whole)
      assert.equal(await users.remove(db, gone), true)
      assert.equal(await users.remove(db, gone), false)
      assert.deepEqual(await rowsOf(gone), Object.fromEntries(tables.map((table) => [table, 0])))
      assert.deepEqual(await rowsOf(stays), whole)
      assert.equal(await groups.hold(db, group), true)
    })

    it('refuses what belongs to nobody', async () => {
      const db = open()
      await assert.rejects(passwordHashes.put(db, nobody, { hash: aHash(), mustChange: false, now: NOW }))
      await assert.rejects(otpDevices.insertConfirmed(db, aDevice(nobody), NOW))
      await assert.rejects(makeSession(db, nobody))
    })
  })

  describe('password hashes', () => {
    it('keeps one hash a user, replaced as a whole', async () => {
      const db = open()
      const id = await makeUser(db)
      const [first, second] = [aHash(), aHash()]
      await passwordHashes.put(db, id, { hash: first, mustChange: true, now: NOW })
      assert.deepEqual(password(await users.findById(db, id)), [first, true])
      await passwordHashes.put(db, id, { hash: second, mustChange: false, now: NOW + 1 })
      assert.deepEqual(password(await users.findById(db, id)), [second, false])
      const rows = await db.selectFrom('password_hash').selectAll().where('user_id', '=', id).execute()
      assert.deepEqual(plain(rows), [{ user_id: id, hash: second, changed_at: NOW + 1, must_change: 0 }])
    })

    it('upgrades a hash only while it is the one that was seen', async () => {
      const db = open()
      const id = await makeUser(db)
      const [first, second, third] = [aHash(), aHash(), aHash()]
      await passwordHashes.put(db, id, { hash: first, mustChange: false, now: NOW })
      await passwordHashes.upgrade(db, id, first, second)
      assert.deepEqual(password(await users.findById(db, id)), [second, false])
      await passwordHashes.upgrade(db, id, first, third)
      assert.deepEqual(password(await users.findById(db, id)), [second, false])
    })

    it('asks for a new password of whoever has one', async () => {
      const db = open()
      const [id, without] = [await makeUser(db), await makeUser(db)]
      await passwordHashes.put(db, id, { hash: aHash(), mustChange: false, now: NOW })
      assert.equal(await passwordHashes.demandChange(db, id), true)
      assert.equal((await users.findById(db, id))?.mustChangePassword, true)
      assert.equal(await passwordHashes.demandChange(db, without), false)
    })

    it('gives each place the hash of some user, always the same one (SEC-AUTH-6)', async () => {
      const db = open()
      for (let made = 0; made < 40; made++) {
        const id = await makeUser(db)
        await passwordHashes.put(db, id, { hash: aHash(), mustChange: false, now: NOW })
      }
      const found = new Set<string>()
      for (let part = 0; part < 256; part++) {
        const place = (BigInt(part) << 52n).toString(32).padStart(12, '0')
        const hash = await passwordHashes.findDecoy(db, place)
        assert.equal(await passwordHashes.findDecoy(db, place), hash)
        if (hash !== undefined) found.add(hash)
      }
      assert.ok(found.size > 20, `${found.size} of 40 and more were found`)
      assert.equal(await passwordHashes.findDecoy(db, 'vvvvvvvvvvvvz'), undefined)
    })
  })

  describe('groups', () => {
    it('makes a group once and says so', async () => {
      const db = open()
      const name = `g-${newId()}`
      assert.equal(await groups.hold(db, name), false)
      assert.equal(await groups.insert(db, name, NOW), true)
      assert.equal(await groups.insert(db, name, NOW), false)
      assert.equal(await groups.hold(db, name), true)
      assert.equal(await groups.remove(db, name), true)
      assert.equal(await groups.remove(db, name), false)
      assert.equal(await groups.hold(db, name), false)
    })

    it('has a member once, and none when the group goes', async () => {
      const db = open()
      const [one, two] = [`a-${newId()}`, `b-${newId()}`]
      await groups.insert(db, two, NOW)
      await groups.insert(db, one, NOW)
      const [id, other] = [await makeUser(db), await makeUser(db)]
      assert.equal(await groups.addMember(db, two, id), true)
      assert.equal(await groups.addMember(db, two, id), false)
      assert.equal(await groups.addMember(db, one, id), true)
      assert.equal(await groups.addMember(db, one, other), true)
      assert.deepEqual(await groupsOf(db, id), [one, two])
      assert.equal(await groups.removeMember(db, two, id), true)
      assert.equal(await groups.removeMember(db, two, id), false)
      assert.deepEqual(await groupsOf(db, id), [one])
      await groups.remove(db, one)
      assert.deepEqual([await groupsOf(db, id), await groupsOf(db, other)], [[], []])
      await assert.rejects(groups.addMember(db, one, id))
    })
  })
}

const pick = (user: users.UserWithPassword | undefined) =>
  user && { disabled: user.disabled, epoch: user.epoch }

const password = (user: users.UserWithPassword | undefined) =>
  user && [user.passwordHash, user.mustChangePassword]
