import { covers, overlap } from '../extent.ts'
import { type Finding, finding } from '../finding.ts'
import type { Applied, Host } from '../hosts.ts'
import { type Directive, directives } from '../tree.ts'
import type { DoctorSettings, View } from '../view.ts'

/** Rules of paths of Subversion (mod_authz_svn) in protected places: whether they are asked, and for whom. */
export function judgeSubversion({ hosts, settings }: View): Finding[] {
  return hosts.flatMap((host) =>
    host.sections.flatMap((applied) => {
      const [rules] = directives(
        applied.section.nodes,
        'authzsvnaccessfile',
        'authzsvnreposrelativeaccessfile',
      )
      const places = host.places.filter((place) => concerns(place, applied))
      if (rules === undefined || places.length === 0) return []
      return [
        ...judgeQuestions(applied),
        ...judgePathAuthz(host, applied, rules),
        ...judgeLeases(rules, places, settings),
      ]
    }),
  )
}

const concerns = (place: Applied, applied: Applied): boolean =>
  place === applied || applied.within.includes(place.section) || overlap(place.extent, applied.extent)

/** The line that counts, where it says what it should not. */
const saying = ({ section }: Applied, name: string, value: string): Directive | undefined => {
  const last = directives(section.nodes, name).at(-1)
  return last?.words[0]?.toLowerCase() === value ? last : undefined
}

/** Whether the rules are asked for everything and count, and whether somebody is asked to sign in before. */
function* judgeQuestions(applied: Applied): Generator<Finding> {
  const unasked = saying(applied, 'authzsvnnoauthwhenanonymousallowed', 'on')
  if (unasked !== undefined) {
    yield finding(
      'svn-unasked',
      unasked.at,
      'Where the rules of Subversion let anybody in, nobody is asked to sign in, and Apache answers 500.',
      'Remove the line.',
    )
  }
  const anonymous = saying(applied, 'authzsvnanonymous', 'off')
  if (anonymous !== undefined) {
    yield finding(
      'svn-rules',
      anonymous.at,
      'The rules of Subversion are not asked for what is looked at within a request: lists, logs and whole folders.',
      'Remove the line, and write: SVNPathAuthz short_circuit',
    )
  }
  const authoritative = saying(applied, 'authzsvnauthoritative', 'off')
  if (authoritative !== undefined) {
    yield finding(
      'svn-rules',
      authoritative.at,
      'What the rules of Subversion refuse is let in by the policy.',
      'Remove the line.',
    )
  }
}

function* judgePathAuthz(host: Host, applied: Applied, rules: Directive): Generator<Finding> {
  const around = host.sections.filter(({ by, extent }) => by === applied.by && covers(extent, applied.extent))
  const said = [host.nodes, ...around.map(({ section }) => section.nodes)]
    .flatMap((nodes) => directives(nodes, 'svnpathauthz'))
    .at(-1)
  if (said?.words[0]?.toLowerCase() === 'short_circuit') return
  yield finding(
    'svn-rules',
    said?.at ?? rules.at,
    'The rules of Subversion are asked for nobody instead of the person, or not at all, for all that a request reads beside its own path.',
    'Write beside AuthzSVNAccessFile: SVNPathAuthz short_circuit',
  )
}

function* judgeLeases(
  rules: Directive,
  places: readonly Applied[],
  { generate }: DoctorSettings,
): Generator<Finding> {
  const leased = places
    .flatMap(({ policies }) => policies)
    .find((policy) =>
      generate('/etc/apache2', policy).some(
        ({ path, text }) => path.endsWith(`/protect-${policy}.conf`) && text.includes('WW_LEASE='),
      ),
    )
  if (leased === undefined) return
  yield finding(
    'svn-leased',
    rules.at,
    `Whom a lease of the policy "${leased}" lets in Apache does not know, so the rules of Subversion are asked for nobody.`,
    'Give the place a policy of its own with  lease = 0  ([policies.NAME] in the settings), and run "watchword apache install" again.',
  )
}
