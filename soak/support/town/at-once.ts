import type { Random } from '../random.ts'
import { signIn } from './deeds.ts'
import type { Node } from './node.ts'
import { performAtOnce } from './perform.ts'
import type { Person } from './person.ts'
import { count, type Findings, noFindings } from './settle.ts'
import type { Town } from './town.ts'

/** Up to so many people whose code is due, and who are not made to wait. */
export function readyPeople({ people }: Pick<Town, 'people'>, many: number, random: Random): Person[] {
  const able = people.filter(
    (person) =>
      !person.world.isDisabled &&
      person.restsUntil <= Date.now() &&
      person.perhaps === undefined &&
      signIn(person) !== undefined,
  )
  return random.shuffled(able).slice(0, many)
}

/** Sends one code to each of these nodes at once: it never signs in more than once (I2). */
export async function codeAtOnce(
  person: Person,
  nodes: readonly Pick<Node, 'port' | 'agent'>[],
): Promise<Findings> {
  const found = noFindings()
  const deed = signIn(person)
  if (deed === undefined) return found
  const { accepted, lost } = await performAtOnce(person, nodes, deed)
  count(found.counts, 'submissions', nodes.length)
  count(found.counts, 'accepted', accepted)
  count(found.counts, 'answers lost', lost)
  if (accepted > 1) found.violations.push(`${person.username}: one code signed in ${accepted} times.`)
  // As for somebody who has to wait for their next try.
  if (accepted + lost === 0) count(found.counts, 'codes that signed in nobody')
  return found
}
