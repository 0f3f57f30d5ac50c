import type { Finding } from './finding.ts'
import { hostsOf } from './hosts.ts'
import type { Configuration } from './read.ts'
import { judgeDoors } from './rules/doors.ts'
import { judgeHeaders } from './rules/headers.ts'
import { judgeHosts } from './rules/host.ts'
import { judgeLaterSections } from './rules/later.ts'
import { judgeLines } from './rules/lines.ts'
import { judgeOwnFiles } from './rules/own-files.ts'
import { judgePlaces } from './rules/place.ts'
import { judgeByHand } from './rules/provider.ts'
import { judgeSubversion } from './rules/subversion.ts'
import type { DoctorSettings, Machine, View } from './view.ts'

const rules: readonly ((view: View) => Finding[])[] = [
  judgeOwnFiles,
  judgePlaces,
  judgeByHand,
  judgeLaterSections,
  judgeHeaders,
  judgeHosts,
  judgeLines,
  judgeDoors,
  judgeSubversion,
]

/** All that is wrong with it, each thing once, in the order of files and lines (SEC-PXY-3). */
export const judge = (view: View): Finding[] => inOrder(rules.flatMap((rule) => rule(view)))

/** Everything that rules look at. */
export const viewOf = (configuration: Configuration, settings: DoctorSettings, machine: Machine): View => ({
  ...{ configuration, settings, machine },
  hosts: hostsOf(configuration),
})

/** Each finding once; what stands in no file comes first. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const once = new Map(
    findings.map((each) => [`${each.id} ${keyOf(each)} ${each.at === undefined ? each.what : ''}`, each]),
  )
  return [...once.values()].toSorted((one, other) => {
    const [first, second] = [keyOf(one), keyOf(other)]
    return first < second ? -1 : first > second ? 1 : 0
  })
}

const keyOf = ({ at }: Finding): string =>
  at === undefined ? '' : `${at.file}:${String(at.line).padStart(6, '0')}`
