import { beside, type Directive, directives, type Node, ownFile, type Section, sections } from './tree.ts'

/**
 * What the `Require` lines of a section come to: `open` where they may pass without a user, `user` where they need one,
 * `closed` where nothing passes, `none` where there are none.
 */
export type Demand = 'none' | 'open' | 'user' | 'closed'

/** The demand of what stands here, as Apache takes it: one that passes is enough. */
export const demandOf = (nodes: readonly Node[]): Demand => anyOf(partsOf(nodes))

const containers = ['requireany', 'requireall', 'requirenone']

function partsOf(nodes: readonly Node[]): Demand[] {
  return [...beside(nodes)].flatMap((node): Demand[] => {
    if (node.kind === 'included') return ownFile(node.file)?.kind === 'place' ? ['user'] : []
    if (node.kind === 'directive') return node.name === 'require' ? [demandOfLine(node)] : []
    switch (node.name) {
      case 'requireany':
        return [anyOf(partsOf(node.nodes))]
      case 'requireall':
        return [allOf(partsOf(node.nodes))]
      default:
        // What must not pass lets nobody in by itself.
        return []
    }
  })
}

function anyOf(parts: readonly Demand[]): Demand {
  const counted = parts.filter((part) => part !== 'none')
  if (counted.length === 0) return 'none'
  if (counted.includes('open')) return 'open'
  return counted.includes('user') ? 'user' : 'closed'
}

function allOf(parts: readonly Demand[]): Demand {
  const counted = parts.filter((part) => part !== 'none')
  if (counted.length === 0) return 'none'
  if (counted.includes('closed')) return 'closed'
  return counted.includes('user') ? 'user' : 'open'
}

/** Kinds of `Require` that know the user; every other may pass for anybody. */
const ofUsers = /^(?:valid-user|user|group|file-owner|file-group|dbm-(?:group|file-group)|ldap-\w+|dbd-\w+)$/

function demandOfLine({ words }: Directive): Demand {
  const [kind = '', first = ''] = words.map((word) => word.toLowerCase())
  if (kind === 'not') return 'none'
  if (kind === 'all') return first === 'denied' ? 'closed' : 'open'
  return ofUsers.test(kind) ? 'user' : 'open'
}

/** What stands beside the file of a policy and lets in, or is meant to narrow: one `Require` that passes is enough. */
export const rivals = (nodes: readonly Node[]): (Directive | Section)[] =>
  [...directives(nodes, 'require'), ...sections(nodes, ...containers)].filter(
    (each) => demandOf([each]) !== 'closed',
  )

/** `Satisfy Any` that stands here. */
export const satisfyAny = (nodes: readonly Node[]): Directive | undefined =>
  directives(nodes, 'satisfy').find(({ words }) => words[0]?.toLowerCase() === 'any')
