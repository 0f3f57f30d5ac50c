import { covers, isUnder } from '../extent.ts'
import { type Finding, finding } from '../finding.ts'
import type { Host } from '../hosts.ts'
import { routesOf } from '../routes.ts'
import { beside, directives, ownFile } from '../tree.ts'
import type { View } from '../view.ts'
import { isLoopback } from './doors.ts'

/** What a whole virtual host with places must be: encrypted, without TRACE, known to Watchword, strict about paths. */
export function judgeHosts({ hosts, settings, machine }: View): Finding[] {
  const judged = hosts
    .filter(({ places, isClosed }) => places.length > 0 && !isClosed)
    .flatMap((host) => [
      ...judgeEncryption(host),
      ...judgeTrace(host),
      ...judgeOrigins(host, settings.returnOrigins.concat(settings.origin)),
      ...judgePaths(host),
      ...judgeCache(host),
      ...judgeLines(host),
    ])
  return [...judged, ...judgeAuthorizer(hosts, settings, machine)]
}

function judgeEncryption(host: Host): Finding[] {
  if (
    host.isEncrypted ||
    (host.addresses.length > 0 && host.addresses.every((address) => isLoopback(address.host)))
  )
    return []
  return [
    finding(
      'plain-http',
      host.places[0]?.section.at,
      `The virtual host${host.at === undefined ? '' : ` at ${host.at.file}:${host.at.line}`} has no TLS: cookies and app passwords travel readable.`,
      'Move the place into a virtual host with SSLEngine on, and let this one redirect.',
    ),
  ]
}

function judgeTrace({ nodes, places }: Host): Finding[] {
  const last = [...beside(nodes)].findLast((node) =>
    node.kind === 'included'
      ? ownFile(node.file)?.kind === 'server'
      : node.kind === 'directive' && node.name === 'traceenable',
  )
  if (last?.kind === 'included' || (last?.kind === 'directive' && last.words[0]?.toLowerCase() === 'off'))
    return []
  return [
    finding(
      'trace',
      last?.at ?? places[0]?.section.at,
      'TRACE is answered without a question to Watchword, and repeats what it was sent, cookies included.',
      'Write: TraceEnable off',
    ),
  ]
}

function judgeOrigins({ names, places, at }: Host, known: readonly string[]): Finding[] {
  const listed = known.map((origin) => URL.parse(origin)?.hostname)
  return names
    .map((name) =>
      name
        .toLowerCase()
        .replace(/^https?:\/\//, '')
        .replace(/:\d+$/, ''),
    )
    .filter((name) => !/[*?]/.test(name) && !listed.includes(name))
    .map((name) =>
      finding(
        'return-origin',
        at ?? places[0]?.section.at,
        `Watchword does not know the host ${name}: everybody gets 403 there.`,
        `Add "https://${name}" to login.return_origins in the settings, and restart Watchword.`,
      ),
    )
}

/** Apache and what is behind it must read a path alike. */
function* judgePaths(host: Host): Generator<Finding> {
  const partial = host.places.filter(({ by, extent }) => by === 'path' && extent.prefix !== '/')
  if (partial.length === 0) return
  for (const { at, words } of directives(host.nodes, 'mergeslashes')) {
    // A plain <Location> takes several slashes for one either way, and so does everybody at the beginning.
    if (
      words[0]?.toLowerCase() !== 'off' ||
      !partial.some(({ extent }) => extent.pattern !== undefined && /^\/[^/]+\/./.test(extent.prefix))
    )
      continue
    yield finding(
      'path-reading',
      at,
      'With "MergeSlashes Off" the expression of a place does not match /the//place, and the files are the same.',
      'Remove the line, or protect a path: <Location "/path">.',
    )
  }
  const routes = routesOf(host).filter(
    ({ from, to }) =>
      to.kind === 'application' &&
      partial.some(({ extent }) => isUnder(extent.prefix, from.prefix) && !covers(extent, from)),
  )
  if (routes.length === 0) return
  for (const { at, words } of directives(host.nodes, 'allowencodedslashes')) {
    if (words[0]?.toLowerCase() === 'off') continue
    yield finding(
      'path-reading',
      at,
      'An application may read %2F as a slash, and Apache did not: /open/..%2Fplace leads into the place.',
      'Remove the line, or protect all that the application serves.',
    )
  }
  for (const { at, isRaw } of routes) {
    if (isRaw)
      yield finding(
        'path-reading',
        at,
        'With "nocanon" the application reads the address as it was sent, and Apache another one.',
        'Remove nocanon, or protect all that the application serves.',
      )
  }
}

/** The cache answers before anybody is asked, unless told otherwise. */
function judgeCache(host: Host): Finding[] {
  const quick = directives(host.nodes, 'cachequickhandler').at(-1)
  if (quick?.words[0]?.toLowerCase() === 'off') return []
  const inside = host.places.flatMap(({ section }) => directives(section.nodes, 'cacheenable'))
  const around = directives(host.nodes, 'cacheenable').filter(({ words }) => {
    const path = words[1] ?? '/'
    return host.places.some(({ extent }) => isUnder(extent.prefix, path) || isUnder(path, extent.prefix))
  })
  return [...inside, ...around].map(({ at }) =>
    finding(
      'cache',
      at,
      'What one person was shown is given from the cache to whoever asks next: it answers before Watchword is asked.',
      'Write "CacheDisable /path" for the place, or CacheQuickHandler off.',
    ),
  )
}

function* judgeLines(host: Host): Generator<Finding> {
  for (const {
    name,
    words: [value = ''],
    at,
  } of directives(host.nodes)) {
    const given = value.toLowerCase()
    if (name === 'proxyrequests' && given === 'on') {
      yield finding(
        'forward-proxy',
        at,
        'Anybody may send Apache to any address, that of the protected application on this machine too.',
        'Write: ProxyRequests Off',
      )
    }
    if (name === 'httpprotocoloptions' && given === 'unsafe') {
      yield finding(
        'protocol-options',
        at,
        'Requests that two readers read differently are passed on.',
        'Remove the line.',
      )
    }
    if (name === 'remoteipheader' && !namesProxies(host)) {
      yield finding(
        'remote-ip',
        at,
        'Everybody chooses the address that policies and limits go by.',
        'Name the proxy: RemoteIPInternalProxy 192.0.2.7. Or remove the line.',
      )
    }
  }
}

/** Whether the addresses are named whose word is taken; Apache itself refuses to take that of all. */
const namesProxies = ({ nodes }: Host): boolean =>
  directives(nodes).some(({ name }) => /^remoteip(?:internal|trusted)proxy(?:list)?$/.test(name))

/** Whoever reaches the port of the authorizer may try secrets. */
function judgeAuthorizer(
  hosts: readonly Host[],
  { authorizer }: View['settings'],
  { listeners }: View['machine'],
): Finding[] {
  if (authorizer === undefined || !hosts.some(({ places }) => places.length > 0)) return []
  return listeners
    .filter(({ address, port }) => port === authorizer.port && !isLoopback(address))
    .map(({ address, port }) =>
      finding(
        'authorizer-exposed',
        undefined,
        `What listens on ${address}:${port}, the port of the authorizer, is reached by other machines.`,
        'Set authorizer.listen to 127.0.0.1, and let no other program take or forward that port.',
      ),
    )
}
