import type { ImportedPerson } from '../domain/import-record.ts'
import { hashFormat } from '../domain/password/old-hash.ts'
import * as groups from '../store/groups.ts'
import * as imported from '../store/imported.ts'
import * as otpDevices from '../store/otp-devices.ts'
import * as passwordHashes from '../store/password-hashes.ts'
import * as recoveryCodes from '../store/recovery-codes.ts'
import * as users from '../store/users.ts'
import { record } from './caller.ts'
import { endEverything } from './end-everything.ts'
import { holdFactors } from './hold-factors.ts'
import type { ImportRun } from './import-users.ts'
import { importedCodeHash } from './imported-code-hash.ts'
import { deviceSourceId, importedDevice, passwordMark, sealedDevice } from './imported-rows.ts'

/**
 * Brings a user that was imported before up to what the source says now, as far as that is safe.
 *
 * Used-up codes, new authenticators, a new password, a disabled account, memberships and the display name come over.
 * Nobody is enabled, raised, renamed or taken out of a group, and no authenticator is removed. A password that was
 * changed here stays unless it was changed there as well.
 */
export async function updateImported(
  run: ImportRun,
  {
    person,
    known,
    user,
  }: {
    readonly person: ImportedPerson
    readonly known: imported.ImportedUser
    readonly user: imported.UserAsIs
  },
): Promise<{ details: readonly string[]; notes: readonly string[] }> {
  const { db, services, source, now, by, dryRun } = run
  const details: string[] = []
  const notes = [...person.notes]
  // The order of locks is that of every other change: the budget of codes, devices, groups, the user.
  if (!dryRun) await holdFactors(db, user.id)
  let endsSessions = await updateDevices(run, person, user, { details, notes })
  const spent = await spendCodes(run, person, user)
  if (spent > 0) details.push(`${spent} one-time codes are used up`)

  for (const group of person.groups) {
    if (await becomesMember(run, group, user)) details.push(`group ${group}`)
  }
  if (person.displayName !== '' && person.displayName !== user.displayName) {
    details.push(`display name "${person.displayName}"`)
    if (!dryRun) await users.setDisplayName(db, user.id, person.displayName)
  }
  const mark = passwordMark(services, person)
  // A PIN never takes the place of what is here, which may be the password that replaced it.
  if (person.passwordHash !== undefined && !person.isPin && mark !== known.passwordMark) {
    details.push(`password ${hashFormat(person.passwordHash)}`)
    endsSessions = true
    if (!dryRun) {
      await passwordHashes.put(db, user.id, { hash: person.passwordHash, mustChange: false, now })
      await imported.setPasswordMark(db, source, person.sourceId, mark)
    }
  }
  if (person.passwordHash === undefined && known.passwordMark !== '') {
    notes.push(
      `has no password there any more, and keeps the one here: watchword user disable ${user.username}`,
    )
  }
  if (person.isDisabled && user.disabledAt === undefined) {
    details.push('disabled')
    endsSessions = true
    if (!dryRun) await users.setDisabled(db, user.id, now)
  } else if (!person.isDisabled && user.disabledAt !== undefined) {
    notes.push(`stays disabled here: watchword user enable ${user.username}`)
  }
  if (person.username !== user.username) notes.push(`has the name "${user.username}" here, which stays`)

  if (details.length > 0 && !dryRun) {
    if (endsSessions) {
      await users.advanceEpoch(db, user.id)
      await endEverything(db, user.id, now)
    }
    const event = { event: 'user-imported', source, change: 'changed', isSuperuser: false } as const
    await record(services, db, { now, by, userId: user.id }, event)
  }
  return { details, notes }
}

/** Adds devices that are new at the source and carries forward what the others have used. */
async function updateDevices(
  { db, services, source, now, dryRun }: ImportRun,
  person: ImportedPerson,
  user: imported.UserAsIs,
  { details, notes }: { details: string[]; notes: string[] },
): Promise<boolean> {
  const ids = person.devices.map((device) => deviceSourceId(person, device))
  const known = await imported.findDevices(db, source, ids)
  let count = (await otpDevices.listConfirmed(db, user.id)).length
  let added = false
  for (const device of person.devices) {
    const deviceId = known.get(deviceSourceId(person, device))
    if (deviceId !== undefined) {
      const used = dryRun
        ? await imported.isBehind(db, deviceId, device)
        : await imported.raiseUsedMarks(db, deviceId, device)
      if (used) details.push(`used codes of "${device.name}"`)
      continue
    }
    if (count >= services.policy.maximumDevices) {
      notes.push(`authenticator "${device.name}" left out: there are ${count} already`)
      continue
    }
    details.push(`${device.kind.toUpperCase()} "${device.name}"`)
    count++
    added = true
    if (dryRun) continue
    const sealed = sealedDevice(services, user.id, device, now)
    await otpDevices.insertConfirmed(db, sealed, now)
    const rows = { ...imported.noRows(), imported: [importedDevice(source, person, device, sealed.id)] }
    await imported.insertRows(db, rows)
  }
  if (added && !dryRun) await users.setSecondFactor(db, user.id, true)
  return added
}

/** Spends the one-time codes that the source does not have any more; new ones stay there. */
async function spendCodes(
  { db, services, dryRun }: ImportRun,
  person: ImportedPerson,
  { id }: imported.UserAsIs,
): Promise<number> {
  const left = new Set(person.codes.map((code) => importedCodeHash(services, id, code)))
  const spent = await recoveryCodes.findImportedBut(db, id, left)
  for (const hash of dryRun ? [] : spent) await recoveryCodes.spendImported(db, id, hash)
  return spent.length
}

async function becomesMember(
  { db, now, dryRun }: ImportRun,
  group: string,
  { id }: imported.UserAsIs,
): Promise<boolean> {
  if (dryRun) return !(await groups.isMember(db, group, id))
  await groups.insert(db, group, now)
  return groups.addMember(db, group, id)
}
