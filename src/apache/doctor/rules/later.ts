import { demandOf, satisfyAny } from '../authz.ts'
import { covers, type Extent, isUnder, overlap } from '../extent.ts'
import { type Finding, finding } from '../finding.ts'
import type { Applied, Host } from '../hosts.ts'
import { routeFor, routesOf, targetOf } from '../routes.ts'
import { directives } from '../tree.ts'
import type { View } from '../view.ts'
import { limitsIn, openBySatisfy } from './place.ts'

/** Sections that Apache applies after a place, and that let in where the place does not. */
export function judgeLaterSections({ hosts }: View): Finding[] {
  return hosts
    .filter(({ isClosed }) => !isClosed)
    .flatMap((host) =>
      host.places.flatMap((place) => [
        ...laterThan(host, place).flatMap((section) => [...judgeLater(place, section)]),
        ...judgeOverrides(host, place),
      ]),
    )
}

/** The sections after a place that may hold for requests of the place. */
export function laterThan(host: Host, place: Applied): Applied[] {
  return host.sections.slice(host.sections.indexOf(place) + 1).filter((later) => meet(host, place, later))
}

function meet(host: Host, place: Applied, later: Applied): boolean {
  if (later.within.includes(place.section)) return true
  if (place.by === 'path' || later.by === 'folder' || later.by === 'file')
    return overlap(place.extent, later.extent)
  if (later.by === 'condition' && !later.within.some(({ name }) => name.startsWith('location'))) {
    return overlap(place.extent, later.extent)
  }
  return place.by === 'folder' ? overlap(place.extent, filesOf(host, later.extent)) : true
}

/** The files that addresses of a host lead to; none under a name that no file has where they lead to an application. */
function filesOf(host: Host, { prefix, pattern }: Extent): Extent {
  const route = routeFor(routesOf(host), prefix)
  if (route === undefined || route.to.kind === 'application') return { prefix: '\0' }
  const { path } = targetOf(route, prefix)
  return pattern === undefined ? { prefix: path } : { prefix: path, pattern: /(?:)/ }
}

function* judgeLater(place: Applied, later: Applied): Generator<Finding> {
  const { section, policies } = later
  const where = `${section.at.file}:${section.at.line}`
  if (policies.length > 0) {
    const isWeaker = policies.at(-1) !== place.policies.at(-1) && covers(later.extent, place.extent)
    if (isWeaker && place.by === later.by) {
      yield finding(
        'place-order',
        place.section.at,
        `The place at ${where} comes later and holds for this one too: its policy counts, not this one.`,
        'Put the wider place before the narrower one.',
      )
    }
    return
  }
  // Certificates are proven there, by those who cannot sign in.
  if (isUnder(later.extent.prefix, '/.well-known/acme-challenge')) return
  const type = directives(section.nodes, 'authtype').at(-1)
  const merges = directives(section.nodes, 'authmerging').at(-1)?.words[0]?.toLowerCase()
  if (demandOf(section.nodes) === 'open' && merges !== 'and') {
    yield finding(
      'later-section',
      section.at,
      `It is applied after the place at ${place.section.at.file}:${place.section.at.line}, and lets in without a sign-in.`,
      'Remove its Require, or include the file of a policy there too.',
    )
  }
  if (type !== undefined && type.words[0]?.toLowerCase() !== 'watchword') {
    yield finding(
      'auth-type',
      type.at,
      `AuthType ${type.words[0] ?? ''} takes the place of Watchword's in a part of the place.`,
      'Remove the line.',
    )
  }
  const satisfy = satisfyAny(section.nodes)
  if (satisfy !== undefined) yield openBySatisfy(satisfy)
  for (const limit of limitsIn(section.nodes)) {
    yield finding(
      'limit',
      limit.at,
      'In a part of the place some methods pass by other lines than the others.',
      'Remove <Limit> and <LimitExcept> there.',
    )
  }
}

/** `.htaccess` comes after `<Directory>`: whoever may write one there may open the place. */
function judgeOverrides({ sections }: Host, place: Applied): Finding[] {
  if (place.by !== 'folder') return []
  const folders = sections.filter(({ by, extent }) => by === 'folder' && overlap(extent, place.extent))
  const lines = folders.map(({ section, extent }) => ({
    extent,
    line: directives(section.nodes, 'allowoverride', 'allowoverridelist').at(-1),
  }))
  const around = lines.findLast(
    ({ extent, line }) => line !== undefined && isUnder(place.extent.prefix, extent.prefix),
  )
  const below = lines.filter(
    ({ extent }) => extent.prefix !== place.extent.prefix && isUnder(extent.prefix, place.extent.prefix),
  )
  return [...(around === undefined ? [] : [around]), ...below].flatMap(({ line }) => {
    if (
      line === undefined ||
      !line.words.some((word) =>
        /^(?:all|authconfig|fileinfo|require|satisfy|authtype|setenvif\w*)$/i.test(word),
      )
    )
      return []
    return [
      finding(
        'htaccess',
        line.at,
        'A .htaccess in the place is applied after the place: it can let in everybody.',
        'Write: AllowOverride None. Or protect the path with <Location>, which comes last.',
      ),
    ]
  })
}
