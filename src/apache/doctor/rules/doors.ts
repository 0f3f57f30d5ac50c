import type { Demand } from '../authz.ts'
import { demandOf } from '../authz.ts'
import { isUnder } from '../extent.ts'
import { type Finding, finding, type Spot } from '../finding.ts'
import { type Host, isProtected } from '../hosts.ts'
import {
  applicationAt,
  isLocal,
  leadToSame,
  type Route,
  routeFor,
  routesOf,
  type Target,
  targetOf,
} from '../routes.ts'
import { directives, sections } from '../tree.ts'
import type { View } from '../view.ts'

/** What a place protects, and by which route Apache reaches it. */
interface Guarded {
  readonly host: Host
  readonly route: Route
  readonly path: string
  readonly to: Target
}

/** Other ways to what a place protects: another path, another host, or past Apache. */
export function judgeDoors({ hosts, machine, settings }: View): Finding[] {
  const ways = waysOf(hosts, machine)
  /** A balancer is the same as each of its members. */
  const spread = (to: Target) => [to, ...membersOf(hosts, to.where).map((where) => ({ ...to, where }))]
  const isOwn = (to: Target) => spread(to).some(({ where }) => where === settings.own)
  const guarded = ways.flatMap(guardedBy).flatMap((what) => spread(what.to).map((to) => ({ ...what, to })))
  const doors = ways.flatMap(({ host, routes }) => {
    return routes.flatMap((route) =>
      guarded
        .filter(
          (what) =>
            spread(route.to).some((to) => leadToSame(to, what.to)) && isDoor({ host, routes, route }, what),
        )
        .slice(0, 1)
        .map(({ path, to }) => {
          const what =
            to.kind === 'application' ? `the application at ${to.where}${to.path}` : `the files in ${to.path}`
          return finding(
            'other-door',
            route.at,
            `It leads to ${what}, which the place "${path}" protects, and asks nobody.`,
            'Include the file of the same policy for this path too, or remove the line.',
          )
        }),
    )
  })
  return [
    ...doors,
    ...hosts.flatMap((host) => [...cookieReaches(host, isOwn), ...lockedOut(host, isOwn)]),
    ...exposed(hosts, machine),
  ]
}

/** The routes of every host that serves anything; addresses of this machine are one. */
function waysOf(hosts: readonly Host[], { addresses }: View['machine']): Omit<Way, 'route'>[] {
  return hosts
    .filter(({ isClosed }) => !isClosed)
    .map((host) => ({
      host,
      routes: routesOf(host).map((route) => {
        const [, name = '', port = ''] = /^(.*):(\d+)$/.exec(route.to.where) ?? []
        return addresses.includes(name)
          ? { ...route, to: { ...route.to, where: `localhost:${port}` } }
          : route
      }),
    }))
}

function guardedBy({ host, routes }: Omit<Way, 'route'>): Guarded[] {
  return host.places.flatMap(({ by, extent }) => {
    if (by !== 'path' || (extent.pattern !== undefined && extent.prefix === '/')) return []
    const path = extent.prefix
    const first = routeFor(routes, path)
    const below = routes.filter(
      (route) =>
        route !== first &&
        route.from.prefix !== path &&
        isUnder(route.from.prefix, path) &&
        !comesWithApache(route.to),
    )
    return [
      ...(first === undefined ? [] : [{ host, route: first, path, to: targetOf(first, path) }]),
      ...below.map((route) => ({ host, route, path, to: route.to })),
    ]
  })
}

/** Icons and error pages that Debian installs, and has every host show. */
const comesWithApache = (to: Target): boolean => to.kind === 'files' && isUnder(to.path, '/usr/share/apache2')

interface Way {
  readonly host: Host
  readonly routes: readonly Route[]
  readonly route: Route
}

function isDoor({ host, routes, route }: Way, { host: home, route: known, to }: Guarded): boolean {
  if (host === home && route === known) return false
  const rest = isUnder(to.path, route.to.path)
    ? to.path.slice(route.to.path.replace(/\/+$/, '').length).replace(/^\/+/, '')
    : ''
  const base = route.from.prefix.replace(/\/+$/, '')
  const path = route.from.pattern === undefined && rest !== '' ? `${base}/${rest}` : route.from.prefix
  if (isProtected(host, path)) return false
  // Another line comes first for that very path.
  if (route.from.pattern === undefined && routeFor(routes, path) !== route) return false
  const files = to.kind === 'files' ? (isUnder(to.path, route.to.path) ? to.path : route.to.path) : undefined
  return demandAt(host, path, files) === 'open'
}

/** What Apache demands for a path and the files behind it; the last section that demands anything counts. */
function demandAt({ sections }: Host, path: string, files: string | undefined): Demand {
  const demands = sections.flatMap(({ by, extent, section, policies }): Demand[] => {
    const what = by === 'path' ? path : by === 'folder' ? files : undefined
    if (what === undefined || !isUnder(what, extent.prefix)) return []
    if (extent.pattern !== undefined && !extent.pattern.test(`${what}/`)) return []
    return policies.length > 0 ? ['user'] : [demandOf(section.nodes)]
  })
  return demands.findLast((demand) => demand !== 'none') ?? 'open'
}

/** Watchword behind its own door: whoever is to sign in is sent to sign in. */
function lockedOut(host: Host, isOwn: (to: Target) => boolean): Finding[] {
  const around = routesOf(host).filter(({ from, to }) => isOwn(to) && isProtected(host, from.prefix))
  return around.map(({ at }) =>
    finding(
      'locked-out',
      at,
      'The pages of Watchword stand in a protected place: whoever is to sign in is sent to sign in.',
      'Protect the paths of the application only, or give Watchword a host of its own.',
    ),
  )
}

/** Applications on a protected host, outside of its places: the browser sends them the cookies of the host. */
function cookieReaches(host: Host, isOwn: (to: Target) => boolean): Finding[] {
  if (!host.places.some(({ by }) => by === 'path') || host.isClosed || hidesCookies(host.nodes)) return []
  return routesOf(host)
    .filter(({ from, to }) => to.kind === 'application' && !isOwn(to) && !isProtected(host, from.prefix))
    .filter(
      ({ from }) =>
        !host.sections.some(
          ({ by, extent, section }) =>
            by === 'path' && isUnder(from.prefix, extent.prefix) && hidesCookies(section.nodes),
        ),
    )
    .map(({ at, to }) =>
      finding(
        'cookie-header',
        at,
        `The cookies of Watchword on this host reach ${to.where}, which stands in no place: it could use them.`,
        'Put the three "RequestHeader … Cookie" lines of the file of a policy into the virtual host.',
      ),
    )
}

const hidesCookies = (nodes: Host['nodes']): boolean =>
  directives(nodes, 'requestheader').some(({ words: [action = '', header = ''], text }) => {
    return (
      header.toLowerCase() === 'cookie' &&
      (/^unset$/i.test(action) || (/^edit\*$/i.test(action) && /watchword/i.test(text)))
    )
  })

/** Applications behind places whose port others reach without Apache. */
function exposed(hosts: readonly Host[], machine: View['machine']): Finding[] {
  return applicationsBehind(hosts, machine).flatMap(({ at, port }) => {
    const reached = machine.listeners.find((socket) => socket.port === port && !isLoopback(socket.address))
    if (reached === undefined) return []
    return [
      finding(
        'application-exposed',
        at,
        `The application listens on ${reached.address}:${port}: others reach it without Apache and say who they are.`,
        `Let it listen on 127.0.0.1:${port} only, or on a Unix socket.`,
      ),
    ]
  })
}

/** Where on this machine the applications listen that places protect. */
export function applicationsBehind(
  hosts: readonly Host[],
  machine: View['machine'],
): { readonly at: Spot; readonly port: number }[] {
  return waysOf(hosts, machine)
    .flatMap(guardedBy)
    .flatMap(({ route, to }) => {
      const places = to.where.startsWith('balancer:') ? membersOf(hosts, to.where) : [to.where]
      return places.flatMap((where) => {
        const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(where) ?? []
        return isLocal(host) || machine.addresses.includes(host) ? [{ at: route.at, port: Number(port) }] : []
      })
    })
}

function membersOf(hosts: readonly Host[], balancer: string): string[] {
  return hosts
    .flatMap(({ nodes }) => sections(nodes, 'proxy').filter(({ words }) => words[0] === balancer))
    .flatMap(({ nodes }) => directives(nodes, 'balancermember'))
    .flatMap(({ words }) => applicationAt(words[0] ?? '')?.where ?? [])
}

/** Whether only this machine reaches an address. */
export const isLoopback = (address: string): boolean =>
  /^127\./.test(address) || address === '::1' || /^::ffff:127\./.test(address)
