import { demandOf } from './authz.ts'
import { type Extent, everything, extentOf, isUnder } from './extent.ts'
import type { Spot } from './finding.ts'
import type { Configuration } from './read.ts'
import {
  beside,
  type Directive,
  deep,
  directives,
  type Node,
  ownFile,
  type Section,
  sections,
} from './tree.ts'

/** A virtual host with all that applies to it, or the server itself where it has none. */
export interface Host {
  /** Absent for the server itself. */
  readonly at: Spot | undefined
  readonly names: readonly string[]
  readonly addresses: readonly HostAddress[]
  readonly isEncrypted: boolean
  /** Sends every request elsewhere, or refuses it. */
  readonly isClosed: boolean
  /** What stands for the whole server, then what stands in the host. */
  readonly nodes: readonly Node[]
  /** In the order in which Apache applies them: of two that match, the later one counts. */
  readonly sections: readonly Applied[]
  /** Those of `sections` that ask Watchword. */
  readonly places: readonly Applied[]
}

export interface HostAddress {
  /** `*` for every address. */
  readonly host: string
  readonly port: number
}

/** A section that applies to some requests. */
export interface Applied {
  readonly section: Section
  readonly by: 'folder' | 'file' | 'path' | 'condition'
  readonly extent: Extent
  /** The sections around it. */
  readonly within: readonly Section[]
  /** Of the policies that are included here; more than one is a mistake. */
  readonly policies: readonly string[]
  /** Asks Watchword by lines of its own. */
  readonly isByHand: boolean
}

/** All virtual hosts, and the server itself where it listens on a port that none of them has. */
export function hostsOf({ nodes }: Configuration): Host[] {
  const main = [...beside(nodes)].filter((node) => !(node.kind === 'section' && node.name === 'virtualhost'))
  const virtual = sections(nodes, 'virtualhost').map((host) =>
    hostOf(host, main, host.nodes, host.words.map(addressOf)),
  )
  const taken = virtual.flatMap(({ addresses }) => addresses.map(({ port }) => port))
  const left = directives(main, 'listen')
    .map(({ words }) => addressOf(words[0] ?? ''))
    .filter(({ port }) => !taken.includes(port) && !taken.includes(0))
  return left.length === 0 && virtual.length > 0 ? virtual : [...virtual, hostOf(undefined, main, [], left)]
}

function hostOf(
  host: Section | undefined,
  main: readonly Node[],
  own: readonly Node[],
  addresses: readonly HostAddress[],
): Host {
  const nodes = [...main, ...own]
  const all = applied(nodes)
  const tls = directives(nodes, 'sslengine', 'gnutlsenable').at(-1)
  return {
    at: host?.at,
    names: directives(host === undefined ? main : own, 'servername', 'serveralias').flatMap(
      ({ words }) => words,
    ),
    addresses,
    isEncrypted: tls !== undefined && tls.words[0]?.toLowerCase() !== 'off',
    isClosed: isClosed(own),
    nodes,
    sections: all,
    places: all.filter(({ policies, isByHand }) => policies.length > 0 || isByHand),
  }
}

/** `*:443`, `[::1]:8080`, `10.0.0.1`, `443`. */
function addressOf(text: string): HostAddress {
  const [, host = '', port = ''] = /^(.*?)(?::(\d+|\*))?$/.exec(/^\d+$/.test(text) ? `*:${text}` : text) ?? []
  return { host: host.replaceAll(/[[\]]/g, '') || '*', port: Number(port) || 0 }
}

const kinds: Readonly<Record<string, Applied['by']>> = {
  ...{ directory: 'folder', directorymatch: 'folder', proxy: 'folder', proxymatch: 'folder' },
  ...{ files: 'file', filesmatch: 'file' },
  ...{ location: 'path', locationmatch: 'path' },
  ...{ if: 'condition', elseif: 'condition', else: 'condition' },
}

const order: readonly Applied['by'][] = ['folder', 'file', 'path', 'condition']

function applied(nodes: readonly Node[]): Applied[] {
  const found = collect(nodes, [])
  return found.toSorted((one, other) => {
    const difference = order.indexOf(one.by) - order.indexOf(other.by)
    if (difference !== 0 || one.by !== 'folder') return difference
    // Folders: the shorter path first, those with an expression last.
    const [first, second] = [one, other].map(({ extent, section }) => {
      return section.name.endsWith('match') || section.words[0] === '~'
        ? Infinity
        : extent.prefix.replace(/\/+$/, '').length
    })
    return first === second ? 0 : (first ?? 0) - (second ?? 0)
  })
}

function collect(nodes: readonly Node[], within: readonly Section[]): Applied[] {
  return sections(nodes).flatMap((section): Applied[] => {
    const by = kinds[section.name]
    const below =
      section.name === 'virtualhost'
        ? []
        : collect(section.nodes, by === undefined ? within : [...within, section])
    if (by === undefined) return below
    const policies = policiesIn(section.nodes)
    return [
      {
        ...{ section, by, within, policies },
        extent: extentWithin(section, by, within),
        isByHand:
          policies.length === 0 && directives(section.nodes, 'authnzfcgicheckauthnprovider').length > 0,
      },
      ...below,
    ]
  })
}

/** A condition, or a file, applies to what the section around it does. */
function extentWithin(section: Section, by: Applied['by'], within: readonly Section[]): Extent {
  if (by === 'folder' || by === 'path') return extentOf(section)
  const outer = within.findLast(({ name }) => ['folder', 'path'].includes(kinds[name] ?? ''))
  return outer === undefined ? everything : extentOf(outer)
}

/** Names of the policies that are included here or in what groups lines only. */
function policiesIn(nodes: readonly Node[]): string[] {
  return [...beside(nodes)].flatMap((node) => {
    if (node.kind === 'section') return kinds[node.name] === undefined ? policiesIn(node.nodes) : []
    const own = node.kind === 'included' ? ownFile(node.file) : undefined
    return own?.kind === 'place' ? [own.policy] : []
  })
}

/** Whether nothing is served here: every request is sent elsewhere or refused. */
function isClosed(nodes: readonly Node[]): boolean {
  const whole = sections(nodes, 'location').filter(({ words }) => words[0] === '/')
  const lines = [nodes, ...whole.map(({ nodes }) => nodes)].flatMap((each) => directives(each))
  return (
    lines.some(sendsAllElsewhere) ||
    (directives(nodes, 'rewriteengine').at(-1)?.words[0]?.toLowerCase() === 'on' &&
      sendsAllBy(directives(nodes, 'rewritecond', 'rewriterule'))) ||
    whole.some(({ nodes }) => demandOf(nodes) === 'closed')
  )
}

function sendsAllElsewhere({ name, words }: Directive): boolean {
  if (name === 'redirectmatch') return words.some((word) => /^\^?(?:\/?\(?\.\*\)?)?\$?$/.test(word))
  if (name !== 'redirect' && name !== 'redirectpermanent') return false
  // Within <Location "/"> the path may be left out.
  return words.includes('/') || words.every((word) => /^(?:\w+|https:.*)$/.test(word))
}

/** A rule for every address, under no condition but that the request came unencrypted or for this name. */
function sendsAllBy(lines: readonly Directive[]): boolean {
  let isConditional = false
  for (const {
    name,
    words: [pattern = '', target = '', flags = ''],
  } of lines) {
    if (name === 'rewritecond') {
      const subject = /^%\{(HTTPS|SERVER_PORT|SERVER_NAME|HTTP_HOST|REQUEST_SCHEME|REQUEST_URI)\}$/.exec(
        pattern,
      )
      if (subject === null || (subject[1] === 'REQUEST_URI' && !target.startsWith('!'))) isConditional = true
      continue
    }
    const leaves = /^https:/.test(target) || /[[,](?:F|G)[\],]/.test(flags)
    if (!isConditional && leaves && /^\^?(?:\/?\(?\.\*\)?)?\$?$/.test(pattern)) return true
    isConditional = false
  }
  return false
}

/** Everything that is said for requests of a host anywhere, without the files of Watchword. */
export const everyDirective = ({ nodes }: Host): Directive[] => [...deep(nodes)]

/** Whether a path of a host is in a place. A place that is an expression counts by what it must begin with. */
export function isProtected({ places }: Host, path: string): boolean {
  return places.some(({ by, extent }) => {
    if (by !== 'path' || !isUnder(path, extent.prefix)) return false
    return (
      extent.pattern === undefined ||
      (path.length > 1 && extent.pattern.test(`${path.replace(/\/$/, '')}/Ww1`))
    )
  })
}
