import type { PasswordHash } from '../../domain/password/hash-parameters.ts'
import type { Attempts } from '../../domain/throttle.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { Snapshot, Value } from './snapshot.ts'

/** What a database says of who may do what and of what is spent, to be held against an older copy of it. */
export interface Standing {
  /** By user. */
  readonly users: ReadonlyMap<string, StandingUser>
  /** By user. */
  readonly passwords: ReadonlyMap<string, StandingPassword>
  /** By device; those that were confirmed. */
  readonly devices: ReadonlyMap<string, StandingDevice>
  /** Keys made by `codeKey`. */
  readonly recoveryCodes: ReadonlySet<string>
  /** Keys made by `memberKey`. */
  readonly members: ReadonlySet<string>
  /** Identifiers. */
  readonly appPasswords: ReadonlySet<string>
  /** Identifiers. */
  readonly signingKeys: ReadonlySet<string>
  /** By the key of the limit on guessing. */
  readonly attempts: ReadonlyMap<string, Attempts>
}

export interface StandingUser {
  readonly disabled: boolean
  readonly hasSecondFactor: boolean
}

export interface StandingPassword {
  readonly hash: PasswordHash
  readonly changedAt: UnixSeconds
  readonly mustChange: boolean
}

export interface StandingDevice {
  readonly lastUsedStep: number
  readonly counter: number
  readonly disabled: boolean
}

/** Names one recovery code of one set. */
export const codeKey = (userId: string, index: number, hash: string): string => `${userId} ${index} ${hash}`

/** Names one membership. */
export const memberKey = (userId: string, group: string): string => `${userId} ${group}`

/** Reads the standing from a snapshot. */
export async function standingIn(snapshot: Snapshot): Promise<Standing> {
  const users = new Map<string, StandingUser>()
  const passwords = new Map<string, StandingPassword>()
  const devices = new Map<string, StandingDevice>()
  const recoveryCodes = new Set<string>()
  const members = new Set<string>()
  const appPasswords = new Set<string>()
  const signingKeys = new Set<string>()
  const attempts = new Map<string, Attempts>()
  const readers: Readonly<Record<string, (row: Row) => unknown>> = {
    user: (row) =>
      users.set(row.text('id'), {
        disabled: row.value('disabled_at') !== null,
        hasSecondFactor: row.number('has_second_factor') === 1,
      }),
    password_hash: (row) =>
      passwords.set(row.text('user_id'), {
        hash: row.text('hash') as PasswordHash, // What the store wrote as one.
        changedAt: row.number('changed_at'),
        mustChange: row.number('must_change') === 1,
      }),
    otp_device: (row) =>
      row.value('confirmed_at') !== null &&
      devices.set(row.text('id'), {
        lastUsedStep: row.number('last_used_step'),
        counter: row.number('counter'),
        disabled: row.value('disabled_at') !== null,
      }),
    recovery_code: (row) =>
      recoveryCodes.add(codeKey(row.text('user_id'), row.number('code_index'), row.text('hash'))),
    group_member: (row) => members.add(memberKey(row.text('user_id'), row.text('group_name'))),
    app_password: (row) => appPasswords.add(row.text('id')),
    signing_key: (row) => signingKeys.add(row.text('id')),
    attempts: (row) =>
      attempts.set(row.text('key'), {
        count: row.number('count'),
        since: row.number('since'),
        blockedUntil: row.number('blocked_until'),
      }),
  }
  for (const { name, columns, rows } of snapshot.tables) {
    const read = readers[name]
    if (read === undefined) continue
    for await (const batch of rows()) for (const values of batch) read(rowOf(columns, values))
  }
  return { users, passwords, devices, recoveryCodes, members, appPasswords, signingKeys, attempts }
}

interface Row {
  value(column: string): Value
  text(column: string): string
  number(column: string): number
}

function rowOf(columns: readonly string[], values: readonly Value[]): Row {
  const value = (column: string) => values[columns.indexOf(column)] ?? null
  return { value, text: (column) => String(value(column)), number: (column) => Number(value(column)) }
}
