import { rivals, satisfyAny } from '../authz.ts'
import { type Finding, finding } from '../finding.ts'
import type { Applied } from '../hosts.ts'
import { type Route, routeFor, routesOf } from '../routes.ts'
import { type Directive, directives, placesIn, type Section, sections } from '../tree.ts'
import type { View } from '../view.ts'
import { judgeProvider } from './provider.ts'

/** What stands in a place beside the file of its policy, and what the place names. */
export function judgePlaces({ hosts }: View): Finding[] {
  return hosts.flatMap((host) => {
    const places = host.places.filter(({ policies }) => policies.length > 0)
    return places.flatMap((place) => [...judgePlace(place), ...judgeMatch(place, routesOf(host))])
  })
}

function* judgePlace(place: Applied): Generator<Finding> {
  const { section, by, policies } = place
  const { nodes, at } = section
  yield* judgeAccess(section)
  yield* judgeProvider(nodes)
  yield* judgeSignIn(nodes)
  if (new Set(policies).size > 1) {
    yield finding(
      'two-policies',
      at,
      `Two policies stand in one place (${policies.join(', ')}): the last one alone counts.`,
      'Include one of them. For both demands, write a policy of your own into the settings.',
    )
  }
  if (by === 'condition') {
    yield finding(
      'conditional',
      at,
      'A condition decides whether anybody is asked: where it does not hold, the place is open.',
      'Include the file in the <Location> itself; networks belong to a policy ([policies.NAME] networks).',
    )
  }
}

function* judgeAccess({ nodes }: Section): Generator<Finding> {
  for (const { at: where } of rivals(nodes)) {
    yield finding(
      'require-beside',
      where,
      'Of several Require one that passes is enough: this one lets in past Watchword, or does not narrow what it should.',
      'Remove it. Who may enter is said by the policy: groups, users and networks of [policies.NAME] in the settings.',
    )
  }
  const satisfy = satisfyAny(nodes)
  if (satisfy !== undefined) yield openBySatisfy(satisfy)
  for (const { at: where, words } of directives(nodes, 'authmerging')) {
    if (words[0]?.toLowerCase() !== 'or') continue
    yield finding(
      'auth-merging',
      where,
      'With "AuthMerging Or" what lets in for the folder around lets in here too.',
      'Remove the line.',
    )
  }
  for (const limit of limitsIn(nodes)) {
    yield finding(
      'limit',
      limit.at,
      'What stands here holds for some methods only: others pass without it.',
      'Remove <Limit> and <LimitExcept> from the place and put the Include straight into it.',
    )
  }
}

/** `Satisfy Any`: an address that may come needs no user. */
export const openBySatisfy = ({ at }: Directive): Finding =>
  finding(
    'satisfy-any',
    at,
    'With "Satisfy Any" whoever may come by address needs no sign-in, and by default every address may.',
    'Remove the line, or write: Satisfy All',
  )

/** Sections by method that say something of access, those within `<RequireAny>` and the like too. */
export function limitsIn(nodes: Section['nodes']): Section[] {
  const limits = sections(nodes, 'limit', 'limitexcept').filter((limit) => {
    const lines = directives(limit.nodes, 'require', 'satisfy', 'order', 'allow', 'deny', 'authtype')
    const denied =
      lines.length > 0 &&
      lines.every(({ name, words }) =>
        name === 'require'
          ? words.join(' ').toLowerCase() === 'all denied'
          : name === 'deny' || name === 'order',
      )
    return (
      placesIn(limit.nodes).length > 0 || sections(limit.nodes).length > 0 || (lines.length > 0 && !denied)
    )
  })
  const inner = sections(nodes, 'requireany', 'requireall', 'requirenone').flatMap(({ nodes }) =>
    limitsIn(nodes),
  )
  return [...limits, ...inner]
}

function* judgeSignIn(nodes: Section['nodes']): Generator<Finding> {
  for (const { at, words } of directives(nodes, 'authtype')) {
    if (words[0]?.toLowerCase() === 'watchword') continue
    yield finding(
      'auth-type',
      at,
      `AuthType ${words[0] ?? ''} is another way to sign in than Watchword's.`,
      'Remove the line: the included file says it.',
    )
  }
  for (const { at, name } of directives(nodes)) {
    if (!isOtherProvider(name)) continue
    yield finding(
      'other-provider',
      at,
      `${name} belongs to another way to sign in, which knows nothing of second factors.`,
      'Remove the line; for programs, app passwords take its place.',
    )
  }
  for (const { at, words } of directives(nodes, 'cgipassauth')) {
    yield finding(
      'pass-authorization',
      at,
      `CGIPassAuth ${words[0] ?? ''} beside the included file changes who sees the app passwords.`,
      'Remove the line: the included file says what the policy needs.',
    )
  }
}

/** Directives of other ways to sign in. */
const isOtherProvider = (name: string): boolean =>
  /^auth(?:basic|digest|form|user|group|dbd|dbm|ldap|ntlm|jwt|mellon|gssapi)|^(?:oidc|mellon|shib|cas)|^anonymous|^authname?alias/.test(
    name,
  ) && name !== 'authname'

/** Whether the section names what it should. */
function* judgeMatch({ section, extent, by }: Applied, routes: readonly Route[]): Generator<Finding> {
  const { at, name, words } = section
  const given = (words[0] === '~' ? words[1] : words[0]) ?? ''
  if (by !== 'path') return
  const isPattern = name.endsWith('match') || words[0] === '~'
  if (!isPattern && !given.startsWith('/')) {
    yield finding(
      'narrow-match',
      at,
      `"${given}" begins with no slash and matches nothing.`,
      `Write <Location "/${given}">.`,
    )
  } else if (!isPattern && given.length > 1 && given.endsWith('/') && isServedWithoutSlash(given, routes)) {
    yield finding(
      'narrow-match',
      at,
      `"${given}" does not match ${given.slice(0, -1)} itself.`,
      `Write <Location "${given.slice(0, -1)}">.`,
    )
  } else if (extent.pattern !== undefined && !isPattern && /\*$/.test(given)) {
    yield finding(
      'narrow-match',
      at,
      '* matches no slash: what lies deeper is open.',
      `Write <Location "${extent.prefix.replace(/\/$/, '')}">.`,
    )
  } else if (
    isPattern &&
    /[^\\]\$$/.test(given) &&
    !/(?:\(\?:|\()\/\|\$\)$|\(\/\.\*\)\?\$$|\.\*\)?\$$|\.\+\)?\$$/.test(given)
  ) {
    yield finding(
      'narrow-match',
      at,
      `${given} ends with $: what Apache serves for longer addresses (/page.php/more, /folder/page) is open.`,
      'Protect a path: <Location "/path">.',
    )
  }
}

/** Whether an application gets the path without its last slash too; a folder only sends on to the one with it. */
function isServedWithoutSlash(given: string, routes: readonly Route[]): boolean {
  const path = given.replace(/\/+$/, '')
  const route = routeFor(
    routes.filter(({ from }) => path.startsWith(from.prefix)),
    path,
  )
  return route?.to.kind === 'application'
}
