import { markSent } from './codes.ts'
import type { Node } from './node.ts'
import type { Person, Spent } from './person.ts'
import { type Reply, type Visit, visit } from './visit.ts'
import { copyOf, type World } from './world.ts'

/** One request that changes something, and what it changes. */
export interface Deed {
  /** As it is counted, in the plural, such as `sign-ins`. */
  readonly name: string
  readonly request: Omit<Visit, 'address'>
  /** The code that it spends. */
  readonly code?: Spent
  /** What holds once it is done, told or not. */
  readonly change: (world: World) => void
  /** What the answer tells beside, once it is done. */
  readonly learn?: (world: World, reply: Extract<Reply, { kind: 'answered' }>) => void
}

export type Performed =
  | { readonly kind: 'done'; readonly reply: Extract<Reply, { kind: 'answered' }> }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** Whether it was done, nobody was told. */
  | { readonly kind: 'in doubt'; readonly why: 'lost' | 'fault' }
  | { readonly kind: 'unsent' }

/** Does a deed and writes it in the person's book: what was told holds, what was not told may. */
export async function perform(
  person: Person,
  node: Pick<Node, 'port' | 'agent'>,
  deed: Deed,
): Promise<Performed> {
  if (deed.code?.code !== undefined) markSent(deed.code.code)
  return book(person, deed, await visit(node, { ...deed.request, address: person.address }))
}

/** Writes in the person's book what was answered to a deed of theirs. */
export function book(person: Person, { name, code, change, learn }: Deed, reply: Reply): Performed {
  const after = copyOf(person.world)
  change(after)
  if (reply.kind === 'unsent') return { kind: 'unsent' }
  if (reply.kind === 'lost' || isFault(reply)) {
    person.perhaps = { deed: name, world: after, ...(code !== undefined && { code }) }
    return { kind: 'in doubt', why: reply.kind === 'lost' ? 'lost' : 'fault' }
  }
  if (reply.status !== 200) {
    if (reply.status === 429) person.restsUntil = Date.now() + 1000 * Number(reply.body?.retry_after ?? 30)
    return { kind: 'refused', status: reply.status, code: reply.code }
  }
  learn?.(after, reply)
  adopt(person, after, code)
  return { kind: 'done', reply }
}

export interface Volley {
  readonly accepted: number
  /** Answers that did not come, or told of a fault. */
  readonly lost: number
}

/** Sends the same to each of these nodes at once; it may be done once at most. */
export async function performAtOnce(
  person: Person,
  nodes: readonly Pick<Node, 'port' | 'agent'>[],
  { name, request, code, change, learn }: Deed,
): Promise<Volley> {
  const after = copyOf(person.world)
  change(after)
  if (code?.code !== undefined) markSent(code.code)
  const replies = await Promise.all(nodes.map((node) => visit(node, { ...request, address: person.address })))
  const accepted = replies.filter((reply) => reply.kind === 'answered' && reply.status === 200)
  const [first] = accepted
  const lost = replies.filter((reply) => reply.kind === 'lost' || isFault(reply)).length
  if (first?.kind === 'answered') {
    learn?.(after, first)
    adopt(person, after, code)
  } else if (lost > 0) person.perhaps = { deed: name, world: after, ...(code !== undefined && { code }) }
  return { accepted: accepted.length, lost }
}

const isFault = (reply: Reply): boolean =>
  reply.kind === 'answered' && reply.status >= 500 && reply.code !== 'busy'

/** From now on this holds; what it ended is remembered, and so is the code that was spent. */
export function adopt(person: Person, world: World, code: Spent | undefined): void {
  const alive = new Set(world.sessions.map(({ token }) => token))
  for (const { token } of person.world.sessions) if (!alive.has(token)) person.ended.push(token)
  person.ended.splice(0, person.ended.length - 20)
  if (code !== undefined) person.spent.push(code)
  person.spent.splice(0, person.spent.length - 20)
  person.world = world
  person.perhaps = undefined
}
