import { groupNameProblem } from './group.ts'
import { type AuthenticationMethod, isVerified } from './login.ts'
import { isInNetwork, type Network } from './network.ts'
import { CLOCK_SKEW, type Seconds, type UnixSeconds } from './time.ts'
import { normalizeUsername } from './user.ts'

/** How one may come: signed in with a browser, with a password made for one program, or with password and code in one. */
export type AccessKind = 'session' | 'app-password' | 'password-code'

/** Whether programs come so, which show what they have by Basic (RFC 7617). */
export const isOfPrograms = (kind: AccessKind): boolean => kind !== 'session'

/** Who may enter a protected place, and by what proof. */
export interface AccessPolicy {
  readonly name: string
  /** Being in one of these is enough; with no `users` either, everybody who proves it may enter. */
  readonly groups: readonly string[]
  /** Names in their canonical form. */
  readonly users: readonly string[]
  /** What a session must stand on. An app password stands for itself: it was made with the strongest proof. */
  readonly proof: 'password' | 'two-factor'
  /** Longest age of that proof; without it, as long as the session holds. */
  readonly within?: Seconds
  /** From where; none for everywhere. An addition: an address alone opens nothing. */
  readonly networks: readonly Network[]
  readonly access: readonly AccessKind[]
  /** How long a password and code in one field opens it, from 60 to 86,400; see `codeWindowLength`. */
  readonly codeWindow?: Seconds
  /** Whether the application is told who came by a signed assertion too. */
  readonly assertion: boolean
  /** How long Apache may admit again without asking, where leases are on; 0 for not at all. */
  readonly lease: Seconds
}

/** Longest name of a policy, in characters. */
const POLICY_NAME_MAXIMUM = 64

/** What the name of the operator's own policy is made of. */
export const policyNameShape = /^[a-z0-9][a-z0-9-]{0,63}$/

/** How long ago `two-factor-recent` still takes a proof. */
const RECENT: Seconds = 15 * 60

/** How long a lease lasts unless a policy says otherwise. */
export const DEFAULT_LEASE: Seconds = 30

/** Longest lease that a policy may say. */
export const LEASE_MAXIMUM: Seconds = 60

const everybody = { groups: [], users: [], networks: [], assertion: false, lease: DEFAULT_LEASE } as const

/** Policies that are there without any setting; `group-<name>` is one for every group. */
export const builtInPolicies: readonly AccessPolicy[] = [
  { ...everybody, name: 'password', proof: 'password', access: ['session', 'app-password'] },
  { ...everybody, name: 'two-factor', proof: 'two-factor', access: ['session', 'app-password'] },
  { ...everybody, name: 'two-factor-recent', proof: 'two-factor', within: RECENT, access: ['session'] },
]

const GROUP_PREFIX = 'group-'

/** Whether a name is taken by a policy that is built in. */
export function isBuiltInPolicy(name: string): boolean {
  return name.startsWith(GROUP_PREFIX) || builtInPolicies.some((policy) => policy.name === name)
}

/** The policy of a name: built in, or one of the operator's own; `undefined` for all else, which opens nothing. */
export function findPolicy(name: string, own: ReadonlyMap<string, AccessPolicy>): AccessPolicy | undefined {
  if (name.length > POLICY_NAME_MAXIMUM) return undefined
  if (!name.startsWith(GROUP_PREFIX)) {
    return builtInPolicies.find((policy) => policy.name === name) ?? own.get(name)
  }
  const group = name.slice(GROUP_PREFIX.length)
  if (groupNameProblem(group) !== undefined) return undefined
  return { ...everybody, name, groups: [group], proof: 'two-factor', access: ['session', 'app-password'] }
}

/** Who asks, and what they show. */
export interface AccessFacts {
  readonly who:
    | undefined
    | (Person & {
        readonly by: 'session'
        readonly amr: readonly AuthenticationMethod[]
        readonly authTime: UnixSeconds
      })
    | (Person & { readonly by: 'app-password' })
    /** By two factors, in one field; `authTime` is when the code was spent. */
    | (Person & { readonly by: 'password-code'; readonly authTime: UnixSeconds })
  readonly address: string
  readonly now: UnixSeconds
}

interface Person {
  readonly username: string
  readonly groups: readonly string[]
}

/** Why it was decided so. */
export type AccessReason =
  | 'all-conditions-hold'
  | 'address-outside'
  | 'nobody'
  | 'not-by-this-means'
  | 'not-listed'
  | 'one-factor'
  | 'proof-too-old'
  | 'too-many-groups'

export type AccessDecision =
  | { readonly kind: 'allow'; readonly why: AccessReason }
  /** Nobody is known, or only by a means that this policy does not take. */
  | { readonly kind: 'sign-in'; readonly why: AccessReason }
  /** The right person, whose proof is too weak or too old. */
  | { readonly kind: 'step-up'; readonly why: AccessReason }
  | { readonly kind: 'forbidden'; readonly why: AccessReason }

/**
 * Whether somebody may enter a place.
 *
 * Where a better proof would not help, none is asked for: the address and the person come first.
 */
export function decideAccess(policy: AccessPolicy, { who, address, now }: AccessFacts): AccessDecision {
  const { networks, groups, users, access, within } = policy
  if (networks.length > 0 && !networks.some((network) => isInNetwork(address, network))) {
    return { kind: 'forbidden', why: 'address-outside' }
  }
  if (who === undefined) return { kind: 'sign-in', why: 'nobody' }
  if (!access.includes(who.by)) {
    const kind = access.includes('session') ? 'sign-in' : 'forbidden'
    return { kind, why: 'not-by-this-means' }
  }
  if (groups.length + users.length > 0 && !isListed(policy, who)) {
    return { kind: 'forbidden', why: 'not-listed' }
  }
  if (JSON.stringify(toldGroups(policy, who.groups)).length > TOLD_GROUPS_MAXIMUM) {
    return { kind: 'forbidden', why: 'too-many-groups' }
  }
  if (who.by === 'session' && policy.proof === 'two-factor' && !isVerified(who.amr)) {
    return { kind: 'step-up', why: 'one-factor' }
  }
  if (who.by !== 'app-password' && within !== undefined) {
    const age = now - who.authTime
    if (!(age >= -CLOCK_SKEW && age < within)) {
      return { kind: who.by === 'session' ? 'step-up' : 'sign-in', why: 'proof-too-old' }
    }
  }
  return { kind: 'allow', why: 'all-conditions-hold' }
}

/** Longest list of groups that an application is told, as JSON: Apache takes 8,192 bytes of all that it is told. */
export const TOLD_GROUPS_MAXIMUM = 2048

/** The groups that an application learns: those that the policy names, or all where it names none. */
export function toldGroups(
  policy: Pick<AccessPolicy, 'groups'>,
  groups: readonly string[],
): readonly string[] {
  return policy.groups.length === 0 ? groups : groups.filter((group) => policy.groups.includes(group))
}

function isListed({ groups, users }: AccessPolicy, who: Person): boolean {
  if (groups.some((group) => who.groups.includes(group))) return true
  return users.length > 0 && users.includes(normalizeUsername(who.username))
}
