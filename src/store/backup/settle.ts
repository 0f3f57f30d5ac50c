import type { Attempts } from '../../domain/throttle.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { BackupPart } from './file.ts'
import type { Value } from './snapshot.ts'
import { codeKey, memberKey, type Standing } from './standing.ts'

/** A row of a backup by the names of its columns. */
export type BackupRow = Readonly<Record<string, Value>>

/** What a restore did not bring back as it was, by what it concerns; how many. */
export interface Settled {
  /** Sessions and known browsers that ended. */
  ended: number
  /** Users who were disabled or deleted since, and may not sign in. */
  disabledUsers: number
  /** Passwords that were changed since, kept as they are now. */
  laterPasswords: number
  /** Devices that were removed since, or whose state cannot be known. */
  devices: number
  recoveryCodes: number
  memberships: number
  appPasswords: number
  /** Users and confirmed devices that came after the backup, and are lost. */
  lostUsers: number
  lostDevices: number
}

export interface SettleOptions {
  /** What the database that is replaced says; without it nothing that can be used once is believed unused. */
  readonly later: Standing | undefined
  /** What was charged for guesses by now, so that nobody waits less than they had to. */
  readonly charged: ReadonlyMap<string, Attempts>
  readonly now: UnixSeconds
  /** Time steps around the present one in which a code counts. */
  readonly window: number
}

/** What was under way: it ends, for nobody can say what became of it (SEC-DB-4). */
const underWay: ReadonlySet<string> = new Set([
  ...['login', 'ticket', 'site_session', 'invitation', 'reset_request'],
])

/**
 * Decides what becomes of each row of a backup, so that nothing works again that was used, ended or taken away since
 * it was made (SEC-DB-4).
 *
 * With the later standing at hand, what that lacks stays away; without it, recovery codes, app passwords and
 * counter-based devices are given up, and each time-based code that may have been shown by now counts as used.
 */
export function settler({ later, charged, now, window }: SettleOptions): {
  settle(table: string, row: BackupRow): BackupRow | undefined
  /** Rows that no backup had, once all of it was settled. */
  added(): BackupPart
  readonly settled: Readonly<Settled>
} {
  const uncharged = new Map(charged)
  const settled: Settled = {
    ...{ ended: 0, disabledUsers: 0, laterPasswords: 0, devices: 0 },
    ...{ recoveryCodes: 0, memberships: 0, appPasswords: 0 },
    ...{ lostUsers: later?.users.size ?? 0, lostDevices: later?.devices.size ?? 0 },
  }
  const dropped = (what: keyof Settled): undefined => {
    settled[what]++
    return undefined
  }
  return {
    settled,
    settle(table, row) {
      if (underWay.has(table)) return undefined
      switch (table) {
        case 'session':
        case 'known_browser':
          return dropped('ended')
        case 'user':
          return user(row)
        case 'password_hash':
          return password(row)
        case 'otp_device':
          return device(row)
        case 'code_window':
          // Ended, and still known, so that a drive that goes on sending it is charged for nothing.
          return { ...row, ended_at: row.ended_at ?? now }
        case 'recovery_code':
          return later?.recoveryCodes.has(
            codeKey(text(row, 'user_id'), number(row, 'code_index'), text(row, 'hash')),
          )
            ? row
            : dropped('recoveryCodes')
        case 'group_member':
          return later === undefined ||
            later.members.has(memberKey(text(row, 'user_id'), text(row, 'group_name')))
            ? row
            : dropped('memberships')
        case 'app_password':
          return later?.appPasswords.has(text(row, 'id')) ? row : dropped('appPasswords')
        case 'signing_key':
          // One that was taken out of use is in wrong hands; where none is left, the server makes one.
          return later === undefined || later.signingKeys.has(text(row, 'id')) ? row : undefined
        case 'attempts':
          return attempts(row)
        default:
          return row
      }
    },
    added: () => ({
      table: { name: 'attempts', columns: ['key', 'count', 'since', 'blocked_until'] },
      rows: [...uncharged].map(([key, { count, since, blockedUntil }]) => [key, count, since, blockedUntil]),
    }),
  }

  function user(row: BackupRow): BackupRow {
    const kept = later?.users.get(text(row, 'id'))
    if (kept !== undefined) settled.lostUsers--
    const isDisabledSince = row.disabled_at === null && later !== undefined && kept?.disabled !== false
    if (isDisabledSince) settled.disabledUsers++
    return {
      ...row,
      // Whoever proved something before this moment proved it to another state of the user.
      epoch: number(row, 'epoch') + 1,
      ...(isDisabledSince && { disabled_at: now }),
      // Their device is lost with what came after the backup; the password alone opens nothing for all that.
      ...(kept?.hasSecondFactor && { has_second_factor: 1 }),
    }
  }

  /** Else whoever guessed until they had to wait would begin anew. */
  function attempts(row: BackupRow): BackupRow {
    const present = charged.get(text(row, 'key'))
    if (present === undefined) return row
    uncharged.delete(text(row, 'key'))
    return {
      ...row,
      count: Math.max(number(row, 'count'), present.count),
      since: Math.max(number(row, 'since'), present.since),
      blocked_until: Math.max(number(row, 'blocked_until'), present.blockedUntil),
    }
  }

  /** What is there now is the later one, whatever the clock said when it was written. */
  function password(row: BackupRow): BackupRow {
    const kept = later?.passwords.get(text(row, 'user_id'))
    if (kept === undefined) return row
    const { hash, changedAt, mustChange } = kept
    if (changedAt !== number(row, 'changed_at')) settled.laterPasswords++
    return { ...row, hash, changed_at: changedAt, must_change: mustChange ? 1 : 0 }
  }

  function device(row: BackupRow): BackupRow | undefined {
    if (row.confirmed_at === null) return undefined
    const disabled = { disabled_at: row.disabled_at ?? now }
    if (later !== undefined) {
      const kept = later.devices.get(text(row, 'id'))
      if (kept === undefined) return dropped('devices')
      settled.lostDevices--
      return {
        ...row,
        last_used_step: Math.max(number(row, 'last_used_step'), kept.lastUsedStep),
        counter: Math.max(number(row, 'counter'), kept.counter),
        ...(kept.disabled && disabled),
      }
    }
    if (row.kind === 'hotp') {
      if (row.disabled_at === null) settled.devices++
      return { ...row, ...disabled }
    }
    const present = Math.floor((now - number(row, 't0')) / number(row, 'period')) + number(row, 'drift')
    return { ...row, last_used_step: Math.max(number(row, 'last_used_step'), present + window) }
  }
}

const text = (row: BackupRow, column: string): string => String(row[column])
const number = (row: BackupRow, column: string): number => Number(row[column])
