import type { ImportedDevice, ImportedPerson } from '../domain/import-record.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { normalizeUsername, type UserId } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as imported from '../store/imported.ts'
import * as otpDevices from '../store/otp-devices.ts'
import { FIRST_IMPORTED_INDEX } from '../store/recovery-codes.ts'
import { importedCodeHash } from './imported-code-hash.ts'

/** A person that becomes a user. */
export interface Making {
  readonly userId: UserId
  readonly person: ImportedPerson
}

/** The rows of new users: keys sealed, codes hashed, times that lie ahead brought back to now. */
export function importedRows(
  services: Pick<Services, 'newId' | 'sealer'>,
  makings: readonly Making[],
  { source, now, newGroups }: { source: string; now: UnixSeconds; newGroups: readonly string[] },
): imported.ImportedRows {
  const rows = imported.noRows()
  for (const name of newGroups) rows.user_group.push({ name, created_at: now })
  for (const { userId, person } of makings) {
    rows.user.push({
      id: userId,
      username: person.username,
      canonical_username: normalizeUsername(person.username),
      display_name: person.displayName,
      is_superuser: person.isSuperuser ? 1 : 0,
      has_second_factor: person.hasSecondFactor ? 1 : 0,
      epoch: 1,
      created_at: past(person.createdAt, now) ?? now,
      disabled_at: person.isDisabled ? now : null,
      last_sign_in_at: past(person.lastSignInAt, now) ?? null,
    })
    rows.imported.push({
      source,
      kind: 'user',
      source_id: person.sourceId,
      target_id: userId,
      password_mark: passwordMark(services, person),
    })
    if (person.passwordHash !== undefined) {
      rows.password_hash.push({
        user_id: userId,
        hash: person.passwordHash,
        changed_at: now,
        must_change: person.isPin ? 1 : 0,
      })
    }
    for (const device of person.devices) {
      const sealed = sealedDevice(services, userId, device, now)
      rows.otp_device.push(otpDevices.confirmedRow(sealed, now, past(device.lastUsedAt, now)))
      rows.imported.push(importedDevice(source, person, device, sealed.id))
    }
    for (const [index, code] of person.codes.entries()) {
      rows.recovery_code.push({
        user_id: userId,
        code_index: FIRST_IMPORTED_INDEX + index,
        hash: importedCodeHash(services, userId, code),
        created_at: now,
        expires_at: null,
      })
    }
    for (const group of person.groups) rows.group_member.push({ group_name: group, user_id: userId })
  }
  return rows
}

/** Tells whether the password changed at the source, and nothing about what it is; a PIN is none. */
export function passwordMark(
  { sealer }: Pick<Services, 'sealer'>,
  { passwordHash, isPin }: ImportedPerson,
): string {
  return passwordHash === undefined || isPin ? '' : sealer.keyedHash('imported-password', passwordHash)
}

/** A device of the source as it is stored, under a new identifier. */
export function sealedDevice(
  { newId, sealer }: Pick<Services, 'newId' | 'sealer'>,
  userId: UserId,
  { sourceId: _, key, lastUsedAt: __, ...device }: ImportedDevice,
  now: UnixSeconds,
): otpDevices.NewOtpDevice {
  const id = newId()
  const sealedKey = sealer.seal(key, { purpose: 'otp-key', userId, deviceId: id })
  return { ...device, id, userId, sealedKey, createdAt: now }
}

/** How a device is found again that was made of one of the source. */
export function importedDevice(
  source: string,
  person: ImportedPerson,
  device: ImportedDevice,
  deviceId: string,
): imported.ImportedRows['imported'][number] {
  const sourceId = deviceSourceId(person, device)
  return { source, kind: 'device', source_id: sourceId, target_id: deviceId, password_mark: '' }
}

/** A device is the source's own within its person. */
export const deviceSourceId = (person: ImportedPerson, device: ImportedDevice): string =>
  `${person.sourceId} ${device.sourceId}`

const past = (at: UnixSeconds | undefined, now: UnixSeconds): UnixSeconds | undefined =>
  at === undefined ? undefined : Math.max(0, Math.min(at, now))
