import { type Extent, extentOf, extentOfPattern, isUnder } from './extent.ts'
import type { Spot } from './finding.ts'
import type { Host } from './hosts.ts'
import { type Directive, directives, type Node, sections } from './tree.ts'

/** A way from addresses of a host to an application or to files. */
export interface Route {
  readonly at: Spot
  readonly from: Extent
  readonly to: Target
  /** `nocanon`: the address is passed on as it came. */
  readonly isRaw: boolean
}

export interface Target {
  /** `excluded` for what `ProxyPass … !` keeps from applications. */
  readonly kind: 'application' | 'files' | 'repository' | 'excluded'
  /** `host:port`, the path of a socket or the name of a balancer; empty for files. */
  readonly where: string
  readonly path: string
}

/** All routes of a host, the folder of its documents included. */
export function routesOf(host: Host): Route[] {
  const inSections = sections(host.nodes, 'location', 'locationmatch', 'if').flatMap((section) =>
    directives(section.nodes).flatMap((line) => routeOf(line, extentOf(section))),
  )
  const documents = directives(host.nodes, 'documentroot').at(-1)
  const root = documents?.words[0]?.replace(/\/+$/, '')
  const rules = rulesOf(host.nodes, root)
  return [
    ...directives(host.nodes).flatMap((line) => routeOf(line, undefined)),
    ...rules.filter(({ to }) => to.kind === 'application'),
    ...rulesWithin(host, root),
    ...inSections,
    ...(documents === undefined || root === undefined
      ? []
      : [{ at: documents.at, from: { prefix: '/' }, to: filesAt(root || '/'), isRaw: false }]),
    // Most of these hold under conditions: what is not rewritten is found as if there were none.
    ...rules.filter(({ to }) => to.kind === 'files'),
  ]
}

const filesAt = (path: string): Target => ({ kind: 'files', where: '', path: path.replace(/(.)\/+$/, '$1') })

function routeOf({ name, words, at }: Directive, section: Extent | undefined): Route[] {
  const [first = '', second = ''] = words
  const isRaw = words.some((word) => word.toLowerCase() === 'nocanon')
  switch (name) {
    case 'proxypass': {
      const isShort = section !== undefined && !first.startsWith('/')
      const [from, to] = isShort ? [section, first] : [{ prefix: first }, second]
      return toApplication(to, { at, from, isRaw })
    }
    case 'proxypassmatch': {
      const isShort = section !== undefined && second === ''
      const [from, to] = isShort ? [section, first] : [extentOfPattern(first), second]
      return toApplication(to, { at, from, isRaw })
    }
    case 'sethandler': {
      const address = /^proxy:(.+)$/.exec(first)?.[1]
      return address === undefined
        ? []
        : toApplication(address, { at, from: section ?? { prefix: '/' }, isRaw })
    }
    case 'alias':
    case 'scriptalias':
      // What it serves is named by GIT_PROJECT_ROOT, which differs from section to section.
      if (second.replace(/\/$/, '').endsWith('/git-http-backend')) return []
      // Within <Location> the path is that of the section.
      if (second === '')
        return section === undefined ? [] : [{ at, from: section, to: filesAt(first), isRaw }]
      return [{ at, from: { prefix: first }, to: filesAt(second), isRaw }]
    case 'svnpath':
    case 'svnparentpath':
      return section === undefined
        ? []
        : [{ at, from: section, to: { ...filesAt(first), kind: 'repository' }, isRaw }]
    case 'aliasmatch':
    case 'scriptaliasmatch':
      return [{ at, from: extentOfPattern(first), to: filesAt(second.replace(/\$.*$/, '')), isRaw }]
    default:
      return []
  }
}

/** `RewriteRule`: to an application (`[P]`), or to files without another look at the address. */
function rulesOf(nodes: readonly Node[], root: string | undefined): Route[] {
  return directives(nodes, 'rewriterule').flatMap(
    ({ words: [pattern = '', target = '', flags = ''], at }) => {
      const given = flags
        .replace(/^\[|\]$/g, '')
        .split(',')
        .map((flag) => flag.trim().toUpperCase())
      const has = (...names: readonly string[]) =>
        given.some((flag) => names.includes(flag.replace(/=.*$/, '')))
      const from = extentOfPattern(pattern)
      if (has('P', 'PROXY')) return toApplication(target, { at, from, isRaw: false })
      if (has('PT', 'PASSTHROUGH', 'R', 'REDIRECT', 'F', 'FORBIDDEN', 'G', 'GONE') || !target.startsWith('/'))
        return []
      const path = target.replace(/[$%].*$/, '')
      // Apache takes it for a path of the disk if its beginning is there, else for one below the documents.
      return [path, ...(root === undefined ? [] : [root + path])].map((each) => ({
        at,
        from,
        to: filesAt(each),
        isRaw: false,
      }))
    },
  )
}

function toApplication(address: string, rest: Omit<Route, 'to'>): Route[] {
  if (address === '!') return [{ ...rest, to: { kind: 'excluded', where: '', path: '/' } }]
  const to = applicationAt(address)
  return to === undefined ? [] : [{ ...rest, to }]
}

const usualPorts: Readonly<Record<string, string>> = {
  http: '80',
  https: '443',
  ws: '80',
  wss: '443',
  ajp: '8009',
  fcgi: '8000',
  h2c: '80',
  h2: '443',
}

/** What an address of ProxyPass means; `undefined` for `!` and what is no address. */
export function applicationAt(address: string): Target | undefined {
  const socket = /^unix:([^|]+)\|?(?:\w+:\/\/[^/]*)?(\/[^$%]*)?/.exec(address)
  if (socket !== null) return { kind: 'application', where: socket[1] ?? '', path: socket[2] ?? '/' }
  const [, scheme = '', host = '', port, path = '/'] =
    /^(\w+):\/\/(\[[^\]]+\]|[^/:$%]+)(?::(\d+))?(\/[^$%?]*)?/.exec(address) ?? []
  if (host === '') return undefined
  if (scheme === 'balancer') return { kind: 'application', where: `balancer://${host}`, path }
  const name = host.replaceAll(/[[\]]/g, '').toLowerCase()
  return {
    kind: 'application',
    where: `${isLocal(name) ? 'localhost' : name}:${port ?? usualPorts[scheme] ?? '80'}`,
    path,
  }
}

/** Whether a name or address is of this machine itself. */
export const isLocal = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\./.test(host)

/** Whether what one leads to is, or is in, what the other leads to. */
export function leadToSame(one: Target, other: Target): boolean {
  return (
    one.kind === other.kind &&
    one.where === other.where &&
    (isUnder(one.path, other.path) || isUnder(other.path, one.path))
  )
}

/** What a path of a host leads to by this route: its target and the rest of the path. */
export function targetOf({ from, to }: Route, path: string): Target {
  if (from.pattern !== undefined || !isUnder(path, from.prefix)) return to
  const rest = path.slice(from.prefix.replace(/\/+$/, '').length).replace(/^\/+/, '')
  return { ...to, path: rest === '' ? to.path : `${to.path.replace(/\/+$/, '')}/${rest}` }
}

/** The route that Apache takes for a path: the first proxy or alias that fits, else the documents. */
export function routeFor(routes: readonly Route[], path: string): Route | undefined {
  const fitting = routes.filter(
    ({ from }) => isUnder(path, from.prefix) && (from.pattern === undefined || from.pattern.test(path)),
  )
  return fitting[0]?.to.kind === 'excluded' ? fitting.find(({ to }) => to.kind === 'files') : fitting[0]
}

/** Rules in sections, by which an application is reached from the paths of the section. */
function rulesWithin(host: Host, documents: string | undefined): Route[] {
  return sections(host.nodes, 'location', 'directory').flatMap((section) => {
    const { prefix } = extentOf(section)
    const isFolder = section.name === 'directory'
    if (isFolder && (documents === undefined || !isUnder(prefix, documents))) return []
    const path = isFolder ? prefix.slice(documents?.length) || '/' : prefix
    return rulesOf(section.nodes, undefined)
      .filter(({ to }) => to.kind === 'application')
      .map((route) => ({ ...route, from: { prefix: path, pattern: /(?:)/ } }))
  })
}
