import type { AuthorizerAnswer, Repeatable } from '../../authorizer/answer.ts'
import { leaseName } from '../../domain/lease.ts'
import type { UnixSeconds } from '../../domain/time.ts'
import type { UserId } from '../../domain/user.ts'
import type { AuthorizerHandler } from '../fastcgi/connection.ts'
import type { AuthorizerParams } from '../fastcgi/params.ts'
import { apacheTimes } from './apache-time.ts'
import type { LeaseFolder, LeaseKey } from './folder.ts'

/** Leases at once; each takes a page of memory, so 64 MiB on most machines. Beyond it every request is asked about. */
const LEASES_MAXIMUM = 16_384

/** How often leases that have ended are taken away, and how many at a time: decisions must not wait long for it. */
const SWEEP_EVERY_MS = 100
const SWEPT_AT_ONCE = 100

/** How often a fault of the folder is told, which may come with every request. */
const TELL_EVERY_MS = 60_000

export interface Leases {
  /** The handler, which leases what it allows where that may be repeated. */
  readonly handle: AuthorizerHandler
  /** Whether anything may be leased at all, at first not; taking this back ends all leases. */
  permit(isPermitted: boolean): void
  /** Ends all leases. */
  stop(): void
}

/**
 * Lets Apache repeat for a while what was decided, by a file that ends by itself.
 *
 * First the file is made under another name, then it is decided once more, then the file is put in place. Whatever
 * revokes either is seen by that decision, or takes the file away, or takes its folder away before it is in place.
 */
export function createLeases(
  decide: AuthorizerHandler,
  { folder, sharers = 1, secret, now, failed }: LeaseSettings,
): Leases {
  const maximum = Math.floor(LEASES_MAXIMUM / sharers)
  /** By file: when it ends, and how to find it; the latest last. */
  const held = new Map<string, { readonly key: LeaseKey; readonly until: UnixSeconds }>()
  /** Another one for each time that leases are permitted; absent while they are not. */
  let permission: symbol | undefined
  let toldAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()

  return {
    async handle(request) {
      const answer = await decide(request)
      if (answer.kind !== 'allow' || answer.repeatable === undefined) return answer
      const lease = leaseOf(request, answer, { repeatable: answer.repeatable, secret, now: now() })
      if (lease === undefined || permission === undefined || held.size >= maximum) return answer
      return grant(request, answer, lease, permission)
    },
    permit(isPermitted) {
      permission = isPermitted ? Symbol() : undefined
      if (!isPermitted) clear()
    },
    stop() {
      permission = undefined
      clearInterval(timer)
      clear()
    },
  }

  async function grant(request: AuthorizerParams, answer: AuthorizerAnswer, lease: Lease, under: symbol) {
    const prepared = attempt(() => folder.prepare(lease.key.userId, lease.content))
    if (prepared === undefined) return answer
    try {
      const again = await decide(request)
      // What was revoked between two permissions nobody may have told us, and others who lease here keep what lies there.
      if (!isSame(answer, again) || permission !== under) return again
      attempt(() => {
        if (!prepared.publish(lease.key)) return
        held.delete(nameOf(lease.key))
        held.set(nameOf(lease.key), lease)
      })
      return again
    } finally {
      attempt(() => prepared.discard())
    }
  }

  /** A disk that is full or gone makes every request a question, and none a refusal. */
  function attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (performance.now() - toldAt > TELL_EVERY_MS) {
        toldAt = performance.now()
        failed(error)
      }
      return undefined
    }
  }

  function sweep(): void {
    const at = now()
    let left = SWEPT_AT_ONCE
    for (const [name, { key, until }] of held) {
      // Those behind one that lasts longer are taken away after it: they have ended by themselves.
      if (until > at || left-- === 0) return
      held.delete(name)
      attempt(() => folder.remove(key))
    }
  }

  function clear(): void {
    const own = [...held.values()]
    held.clear()
    if (sharers === 1) attempt(() => folder.clear())
    // Those of the others are theirs to end.
    else for (const { key } of own) attempt(() => folder.remove(key))
  }
}

export interface LeaseSettings {
  readonly folder: LeaseFolder
  /** How many processes lease in it, this one included; each may lease its share. */
  readonly sharers?: number
  /** By which Apache shows that it is the one who asks. */
  readonly secret: string
  readonly now: () => UnixSeconds
  readonly failed: (error: unknown) => void
}

interface Lease {
  readonly key: LeaseKey
  readonly until: UnixSeconds
  readonly content: string
}

/** The lease that would repeat an answer; `undefined` where a file cannot say what the answer says. */
function leaseOf(
  { policy, time }: AuthorizerParams,
  answer: AuthorizerAnswer & { readonly kind: 'allow' },
  {
    repeatable: { origin, token, until },
    secret,
    now,
  }: { repeatable: Repeatable; secret: string; now: UnixSeconds },
): Lease | undefined {
  const write = time === undefined ? undefined : apacheTimes(time, now)
  if (policy === undefined || write === undefined || (answer.cookies ?? []).length > 0) return undefined
  const { REMOTE_GROUPS, WW_AMR, WW_USER_ID, ...more } = answer.variables ?? {}
  // What a lease does not carry would be missing whenever Apache does not ask.
  if (Object.keys(more).length > 0) return undefined
  if (REMOTE_GROUPS === undefined || WW_AMR === undefined || WW_USER_ID === undefined) return undefined
  const lines = [write(now), write(until), answer.user, REMOTE_GROUPS, WW_AMR, WW_USER_ID]
  return {
    key: { policy, userId: WW_USER_ID as UserId, name: leaseName(secret, origin, token) },
    until,
    content: lines.map((line) => `${line}\n`).join(''),
  }
}

/** Whether two decisions let the same person in with the same rights; when they end may differ by a second. */
function isSame(first: AuthorizerAnswer, second: AuthorizerAnswer): boolean {
  if (first.kind !== 'allow' || second.kind !== 'allow' || second.repeatable === undefined) return false
  const facts = ({ user, variables, cookies = [] }: typeof first) =>
    JSON.stringify([user, variables, cookies])
  return facts(first) === facts(second)
}

const nameOf = ({ policy, userId, name }: LeaseKey): string => `${userId} ${policy} ${name}`
