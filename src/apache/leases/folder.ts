import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { UserId } from '../../domain/user.ts'

/** The folder of leases cannot be trusted or used; the message says what to do. */
export class LeaseFolderError extends Error {
  override readonly name = 'LeaseFolderError'
}

/** Where a lease is found: by Apache under the policy, by whoever revokes under the user. */
export interface LeaseKey {
  readonly policy: string
  readonly userId: UserId
  /** `leaseName` of the session's token. */
  readonly name: string
}

/**
 * Leases on disk:
 *
 * - `users/ID/POLICY.NAME`, the lease itself. Renaming `users/ID` away revokes all of a user by one call.
 * - `policies/POLICY/NAME`, a link to it, where Apache looks.
 * - `gone/`, what was revoked, until it is removed.
 *
 * Anybody may walk through to a name that they know, and nobody but the owner may list or change anything.
 */
export interface LeaseFolder {
  /** Writes a lease under a name that nobody looks for; throws when that fails. */
  prepare(userId: UserId, content: string): PreparedLease
  /** Takes away one lease that has ended. */
  remove(key: LeaseKey): void
  /** Takes away everything. */
  clear(): void
}

export interface PreparedLease {
  /** Puts it in place, unless the user was revoked since it was prepared; `false` then. */
  publish(key: LeaseKey): boolean
  /** Takes it back; nothing happens once it is in place. */
  discard(): void
}

const parts = ['policies', 'users', 'gone'] as const

const PRIVATE = 0o711
const READABLE = 0o644

/**
 * Makes the folder ready and empty.
 *
 * @throws LeaseFolderError where it or what leads to it is a link, belongs to somebody else or may be written by them.
 */
export function openLeaseFolder(path: string, newId: () => string): LeaseFolder {
  checked(path)
  const folder = joinLeaseFolder(path, newId)
  folder.clear()
  return folder
}

/** The folder that another process opened, for one of several that lease in it. */
export function joinLeaseFolder(path: string, newId: () => string): LeaseFolder {
  const users = join(path, 'users')
  const policies = join(path, 'policies')
  return {
    prepare(userId, content) {
      const home = join(users, part(userId))
      keepFolder(home)
      const draft = join(home, `new.${newId()}`)
      writeFileSync(draft, content, { flag: 'wx', mode: 0o600 })
      chmodSync(draft, READABLE)
      let isInPlace = false
      return {
        publish: (key) => {
          isInPlace = publish(draft, key)
          return isInPlace
        },
        discard: () => {
          if (!isInPlace) rmSync(draft, { force: true })
        },
      }
    },
    remove({ policy, userId, name }) {
      const home = join(users, part(userId))
      removeIfThere(() => unlinkSync(join(policies, part(policy), part(name))))
      removeIfThere(() => unlinkSync(join(home, leaseFile(policy, name))))
      removeIfThere(() => rmdirSync(home))
    },
    clear() {
      // Moved away as a whole, for others may write there meanwhile: what is removed then is nobody's any more.
      makeFolder(join(path, 'gone'))
      const away = (['policies', 'users'] as const).flatMap((name) => {
        const to = join(path, 'gone', newId())
        try {
          renameSync(join(path, name), to)
        } catch (error) {
          if (isMissing(error)) return []
          throw error
        }
        return [to]
      })
      for (const name of parts.toReversed()) makeFolder(join(path, name))
      for (const each of away) rmSync(each, { recursive: true, force: true })
    },
  }

  function publish(draft: string, { policy, userId, name }: LeaseKey): boolean {
    const file = leaseFile(policy, name)
    try {
      // Fails where the folder of the draft was renamed away meanwhile.
      renameSync(draft, join(users, part(userId), file))
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    keepFolder(join(policies, part(policy)))
    const link = join(policies, policy, part(name))
    // One of an earlier lease of the same token leads to the same file.
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) {
      symlinkSync(join('..', '..', 'users', userId, file), link)
    }
    return true
  }
}

/**
 * Takes all leases of some users away, at once: none that Apache looks for after this is there.
 *
 * Nothing happens where there is no folder: no server has leased anything then.
 *
 * @throws LeaseFolderError where a lease may be left; it ends by itself within a minute.
 */
export function revokeLeases(path: string, whose: Iterable<UserId>, newId: () => string): void {
  const faults: Error[] = []
  for (const userId of whose) {
    const away = join(path, 'gone', newId())
    try {
      renameSync(join(path, 'users', part(userId)), away)
      rmSync(away, { recursive: true, force: true })
    } catch (error) {
      if (isMissing(error) && isUnleased(path)) continue
      faults.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const [cause] = faults
  if (cause === undefined) return
  throw new LeaseFolderError(
    `The change is stored, but Apache may admit by a lease for a minute more: ${cause.message}. Run this as the user that runs Watchword.`,
    { cause },
  )
}

/** Whether a user without a folder has no lease; where there is no place to move one to, that is not known. */
const isUnleased = (path: string): boolean =>
  existsSync(join(path, 'gone')) || !existsSync(join(path, 'users'))

/** Makes the folder where it is missing, and holds it and all that leads to it against what others could do. */
function checked(path: string): void {
  try {
    makeFolder(path)
    if (realpathSync(path) !== path) throw new Error('a link leads there, or the path has . or .. in it')
    // It will be emptied: never one that was made for something else.
    const strange = readdirSync(path).find((name) => !(parts as readonly string[]).includes(name))
    if (strange !== undefined) throw new Error(`there is something else in it, ${strange}`)
    for (let at = path; ; at = dirname(at)) {
      const { uid, mode } = lstatSync(at)
      const mine = uid === process.getuid?.()
      if (at === path ? !mine : !mine && uid !== 0) throw new Error(`${at} belongs to somebody else`)
      const isSticky = at !== path && (mode & 0o1000) !== 0
      if ((mode & 0o022) !== 0 && !isSticky) throw new Error(`others may write to ${at}`)
      if (at === dirname(at)) break
    }
    chmodSync(path, PRIVATE)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new LeaseFolderError(
      `authorizer.lease_directory ${path} cannot be used: ${why}. Name a folder that the user of Watchword may make and nobody else may write to, such as /run/watchword/leases, or take the setting out.`,
      { cause },
    )
  }
}

/** One that is there already stays as it is. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw error
  }
  // The mask of the process may have taken what Apache needs.
  chmodSync(path, PRIVATE)
}

/** As `makeFolder`, for one that mostly is there, which costs no error then. */
function keepFolder(path: string): void {
  if (!existsSync(path)) makeFolder(path)
}

/** What is gone already, and a folder that is not empty, are both well. */
function removeIfThere(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== 'ENOTEMPTY') throw error
  }
}

const leaseFile = (policy: string, name: string): string => `${part(policy)}.${part(name)}`

/** One part of a path that leads nowhere else; every policy, user and lease is called so. */
function part(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,127}$/.test(name)) return name
  throw new LeaseFolderError('a lease would have a name that no file should have')
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT'
