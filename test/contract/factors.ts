import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../src/crypto/random.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as recoveryCodes from '../../src/store/recovery-codes.ts'
import { aDevice, aHash, everyKindOfText, makeUser, NOW } from './people.ts'
import type { Opened } from './store.ts'

/** otp-devices and recovery-codes. */
export function factorContract(open: Opened): void {
  describe('one-time code devices', () => {
    it('gives back a device as it was stored, numbers as numbers', async () => {
      const db = open()
      const userId = await makeUser(db)
      const device = aDevice(userId, {
        kind: 'hotp',
        algorithm: 'sha512',
        digits: 8,
        period: 86_400,
        t0: 1_234_567_890,
        drift: -2,
        lastUsedStep: 60_000_000,
        counter: Number.MAX_SAFE_INTEGER,
        createdAt: 253_402_300_799,
      })
      await otpDevices.insertConfirmed(db, device, NOW)
      assert.deepEqual(await otpDevices.listConfirmed(db, userId), [
        { ...device, confirmed: true, disabled: false, lastUsedAt: undefined },
      ])
    })

    it('keeps every kind of text in a name as it was', async () => {
      const db = open()
      const userId = await makeUser(db)
      const device = aDevice(userId)
      await otpDevices.insertConfirmed(db, device, NOW)
      for (const name of everyKindOfText) {
        assert.equal(await otpDevices.rename(db, userId, device.id, name), true)
        assert.equal((await otpDevices.listConfirmed(db, userId)).at(0)?.name, name)
      }
    })

    it('lists confirmed devices oldest first, and no others', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const devices = [aDevice(userId), aDevice(userId), aDevice(userId)] as const
      for (const device of devices.toReversed()) await otpDevices.insertConfirmed(db, device, NOW)
      await otpDevices.insertConfirmed(db, aDevice(other), NOW)
      await otpDevices.putPending(db, aDevice(userId), NOW + 600)
      const listed = await otpDevices.listConfirmed(db, userId)
      assert.deepEqual(ids(listed), ids(devices))
    })

    it('has one pending enrolment a user, the latest, until it ends', async () => {
      const db = open()
      const userId = await makeUser(db)
      const [first, second] = [aDevice(userId), aDevice(userId)]
      assert.equal(await otpDevices.putPending(db, first, NOW + 600), true)
      assert.equal(await otpDevices.putPending(db, second, NOW + 600), true)
      assert.deepEqual(await otpDevices.findPending(db, userId, NOW), {
        ...second,
        confirmed: false,
        disabled: false,
        lastUsedAt: undefined,
        begunBy: undefined,
        expiresAt: NOW + 600,
      })
      await otpDevices.putPending(db, { ...second, begunBy: 'a session' }, NOW + 600)
      assert.equal((await otpDevices.findPending(db, userId, NOW))?.begunBy, 'a session')
      assert.equal((await otpDevices.findPending(db, userId, NOW + 599))?.id, second.id)
      assert.equal(await otpDevices.findPending(db, userId, NOW + 600), undefined)
      await otpDevices.removePending(db, userId)
      assert.equal(await otpDevices.findPending(db, userId, NOW), undefined)
    })

    it('has one pending enrolment though many begin at once', async () => {
      const db = open()
      const userId = await makeUser(db)
      const begun = await Promise.all(
        Array.from({ length: 8 }, () =>
          db.transaction().execute((tx) => otpDevices.putPending(tx, aDevice(userId), NOW + 600)),
        ),
      )
      assert.equal(begun.includes(true), true)
      const rows = await db.selectFrom('otp_device').select('id').where('user_id', '=', userId).execute()
      assert.equal(rows.length, 1)
    })

    it('confirms an enrolment once, in time, and its first code is used (SEC-OTP-8)', async () => {
      const db = open()
      const userId = await makeUser(db)
      const late = aDevice(userId)
      await otpDevices.putPending(db, late, NOW)
      const by = { step: 60_000_000, drift: 1, now: NOW }
      assert.equal(await otpDevices.claimConfirmation(db, late.id, by), false)
      const device = aDevice(userId)
      await otpDevices.putPending(db, device, NOW + 1)
      const claims = await Promise.all(
        Array.from({ length: 8 }, () => otpDevices.claimConfirmation(db, device.id, by)),
      )
      assert.equal(claims.filter(Boolean).length, 1)
      const [confirmed] = await otpDevices.listConfirmed(db, userId)
      assert.deepEqual(
        [confirmed?.lastUsedStep, confirmed?.drift, confirmed?.lastUsedAt, confirmed?.confirmed],
        [60_000_000, 1, NOW, true],
      )
      assert.equal(await otpDevices.findPending(db, userId, NOW), undefined)
      assert.equal(await otpDevices.claimConfirmation(db, late.id, by), false)
    })

    it('takes each time step once and none below it, also when many claim it (SEC-OTP-2)', async () => {
      const db = open()
      const userId = await makeUser(db)
      const [device, pending] = [aDevice(userId), aDevice(userId)]
      await otpDevices.insertConfirmed(db, device, NOW)
      await otpDevices.putPending(db, pending, NOW + 600)
      const claim = (step: number, id = device.id) =>
        otpDevices.claimTimeStep(db, id, { step, drift: -1, now: NOW + step })
      const claims = await Promise.all(Array.from({ length: 16 }, () => claim(7)))
      assert.equal(claims.filter(Boolean).length, 1)
      assert.equal(await claim(6), false)
      assert.equal(await claim(8), true)
      assert.equal(await claim(9, pending.id), false)
      const [used] = await otpDevices.listConfirmed(db, userId)
      assert.deepEqual([used?.lastUsedStep, used?.drift, used?.lastUsedAt], [8, -1, NOW + 8])
      await otpDevices.disableAll(db, userId, NOW)
      assert.equal(await claim(9), false)
    })

    it('moves a counter once from where it was seen, up to 2^53-1 (SEC-OTP-13)', async () => {
      const db = open()
      const userId = await makeUser(db)
      const top = Number.MAX_SAFE_INTEGER
      const device = aDevice(userId, { kind: 'hotp', counter: top - 9 })
      await otpDevices.insertConfirmed(db, device, NOW)
      const claim = (seen: number, used: number) =>
        otpDevices.claimCounter(db, device.id, { seen, used, now: NOW + 1 })
      const claims = await Promise.all(Array.from({ length: 16 }, () => claim(top - 9, top - 5)))
      assert.equal(claims.filter(Boolean).length, 1)
      assert.equal(await claim(top - 9, top - 5), false)
      assert.equal(await claim(top - 4, top - 1), true)
      const [used] = await otpDevices.listConfirmed(db, userId)
      assert.deepEqual([used?.counter, used?.lastUsedAt], [top, NOW + 1])
      await otpDevices.disableAll(db, userId, NOW)
      assert.equal(await claim(top, top - 1), false)
    })

    it('renames and removes what is theirs and confirmed (SEC-AZ-2)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const [device, pending] = [aDevice(userId), aDevice(userId)]
      await otpDevices.insertConfirmed(db, device, NOW)
      await otpDevices.putPending(db, pending, NOW + 600)
      assert.equal(await otpDevices.rename(db, other, device.id, 'mine'), false)
      assert.equal(await otpDevices.rename(db, userId, pending.id, 'mine'), false)
      assert.equal(await otpDevices.remove(db, other, device.id), false)
      assert.equal(await otpDevices.remove(db, userId, pending.id), false)
      assert.equal((await otpDevices.listConfirmed(db, userId)).at(0)?.name, 'phone')
      assert.equal(await otpDevices.remove(db, userId, device.id), true)
      assert.equal(await otpDevices.remove(db, userId, device.id), false)
      assert.equal((await otpDevices.findPending(db, userId, NOW))?.id, pending.id)
    })

    it('removes all of a user, pending ones too, and disables the confirmed', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      for (const id of [userId, other]) {
        await otpDevices.insertConfirmed(db, aDevice(id), NOW)
        await otpDevices.putPending(db, aDevice(id), NOW + 600)
      }
      await otpDevices.disableAll(db, userId, NOW)
      assert.deepEqual(
        (await otpDevices.listConfirmed(db, userId)).map(({ disabled }) => disabled),
        [true],
      )
      assert.equal((await otpDevices.findPending(db, userId, NOW))?.disabled, false)
      assert.equal((await otpDevices.listConfirmed(db, other)).at(0)?.disabled, false)
      await otpDevices.removeAll(db, userId)
      assert.deepEqual(await otpDevices.listConfirmed(db, userId), [])
      assert.equal(await otpDevices.findPending(db, userId, NOW), undefined)
      assert.equal((await otpDevices.listConfirmed(db, other)).length, 1)
    })

    it('lists sealed keys in parts and replaces one only while it is as it was', async () => {
      const db = open()
      const userId = await makeUser(db)
      const devices = Array.from({ length: 5 }, () => aDevice(userId))
      for (const device of devices) await otpDevices.insertConfirmed(db, device, NOW)
      assert.equal(await otpDevices.exist(db), true)
      const seen: string[] = []
      for (let last = ''; ; ) {
        const part = await otpDevices.listSealed(db, last, 2)
        assert.equal(part.length <= 2, true)
        if (part.length === 0) break
        seen.push(...ids(part))
        last = seen.at(-1) ?? ''
      }
      assert.deepEqual(seen, seen.toSorted())
      assert.deepEqual(
        devices.filter(({ id }) => !seen.includes(id)),
        [],
      )
      const [first] = devices
      assert.ok(first)
      const again = `v1.0badcafe.${newId()}`
      assert.equal(await otpDevices.reseal(db, first.id, again, 'wrong'), false)
      assert.equal(await otpDevices.reseal(db, first.id, first.sealedKey, again), true)
      const listed = await otpDevices.listSealed(db, '', 1000)
      const { id, sealedKey } = { ...first, sealedKey: again }
      assert.deepEqual(
        listed.find((device) => device.id === id),
        { id, userId, sealedKey },
      )
    })
  })

  describe('recovery codes', () => {
    it('replaces the whole set by the new one (SEC-REC-5)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const [old, fresh] = [[aHash(), aHash(), aHash()], [aHash()]]
      const forever = { now: NOW, expiresAt: null }
      await recoveryCodes.replaceAll(db, userId, old, forever)
      await recoveryCodes.replaceAll(db, other, old, forever)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW), 3)
      assert.equal(await recoveryCodes.findHash(db, userId, 2, NOW), old[2])
      await recoveryCodes.replaceAll(db, userId, fresh, forever)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW), 1)
      assert.equal(await recoveryCodes.findHash(db, userId, 0, NOW), fresh[0])
      assert.equal(await recoveryCodes.findHash(db, userId, 2, NOW), undefined)
      await recoveryCodes.removeAll(db, userId)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW), 0)
      assert.equal(await recoveryCodes.countLeft(db, other, NOW), 3)
    })

    it('spends the very code that was checked, once, of its own user (SEC-REC-3)', async () => {
      const db = open()
      const [userId, other] = [await makeUser(db), await makeUser(db)]
      const hashes = [aHash(), aHash()] as const
      for (const id of [userId, other]) {
        await recoveryCodes.replaceAll(db, id, hashes, { now: NOW, expiresAt: null })
      }
      assert.equal(await recoveryCodes.spend(db, userId, 0, hashes[1]), false)
      const spent = await Promise.all(
        Array.from({ length: 16 }, () => recoveryCodes.spend(db, userId, 0, hashes[0])),
      )
      assert.equal(spent.filter(Boolean).length, 1)
      assert.equal(await recoveryCodes.findHash(db, userId, 0, NOW), undefined)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW), 1)
      assert.equal(await recoveryCodes.countLeft(db, other, NOW), 2)
    })

    it('does not know a code that has ended', async () => {
      const db = open()
      const userId = await makeUser(db)
      await recoveryCodes.replaceAll(db, userId, [aHash()], { now: NOW, expiresAt: NOW + 10 })
      assert.notEqual(await recoveryCodes.findHash(db, userId, 0, NOW + 9), undefined)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW + 9), 1)
      assert.equal(await recoveryCodes.findHash(db, userId, 0, NOW + 10), undefined)
      assert.equal(await recoveryCodes.countLeft(db, userId, NOW + 10), 0)
    })
  })
}

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id)
