import type { Authenticator } from './codes.ts'

/** A session that somebody was given. */
export interface HeldSession {
  readonly token: string
  /** When they proved who they are, in milliseconds since 1970. */
  readonly since: number
}

/** What holds of one person, as far as they were told. */
export interface World {
  /** Whether there is such a user. */
  isThere: boolean
  password: string
  isDisabled: boolean
  devices: Authenticator[]
  /** Recovery codes that the person holds and did not use. */
  recoveryCodes: string[]
  sessions: HeldSession[]
  /** Ids of app passwords. */
  appPasswords: string[]
  groups: string[]
  /** What nobody was told of since an answer was lost. */
  unseen: { sessions: number; recoveryCodes: number; appPasswords: number }
  /** Successes in the audit log, by their event. */
  events: Record<string, number>
}

/** What the database says of one person. */
export interface Standing {
  readonly isDisabled: boolean
  readonly devices: number
  readonly recoveryCodes: number
  readonly sessions: number
  readonly appPasswords: number
  readonly groups: number
  readonly events: Readonly<Record<string, number>>
}

/** What the database must say. */
export function standingOf(world: World): Standing | undefined {
  if (!world.isThere) return undefined
  const { unseen } = world
  return {
    isDisabled: world.isDisabled,
    devices: world.devices.length,
    recoveryCodes: world.recoveryCodes.length + unseen.recoveryCodes,
    sessions: world.sessions.length + unseen.sessions,
    appPasswords: world.appPasswords.length + unseen.appPasswords,
    groups: world.groups.length,
    events: world.events,
  }
}

/** In which places two standings differ, for a sentence. */
export function differences(wanted: Standing | undefined, found: Standing | undefined): string {
  if (wanted === undefined || found === undefined) {
    return wanted === found ? '' : found === undefined ? 'no such user' : 'a user that nobody made'
  }
  const flat = ({ events, ...rest }: Standing): Record<string, unknown> => ({ ...rest, ...events })
  const [a, b] = [flat(wanted), flat(found)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => (a[name] ?? 0) !== (b[name] ?? 0))
    .map((name) => `${name} ${b[name] ?? 0} instead of ${a[name] ?? 0}`)
    .join(', ')
}

/** A copy to be changed; authenticators and sessions are the same ones. */
export const copyOf = (world: World): World => ({
  ...world,
  devices: [...world.devices],
  recoveryCodes: [...world.recoveryCodes],
  sessions: [...world.sessions],
  appPasswords: [...world.appPasswords],
  groups: [...world.groups],
  unseen: { ...world.unseen },
  events: { ...world.events },
})

export function addEvent(world: World, event: string): void {
  world.events[event] = (world.events[event] ?? 0) + 1
}

/** All sessions end, also those that nobody was told of. */
export function endSessions(world: World): void {
  world.sessions = []
  world.unseen.sessions = 0
}

export function endAppPasswords(world: World): void {
  world.appPasswords = []
  world.unseen.appPasswords = 0
}
