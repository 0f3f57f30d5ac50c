import { type History, histories, nextRound } from '../../soak/support/history.ts'
import type { Trial } from '../../soak/support/trial.ts'
import { operations, verdictOf } from '../../soak/support/verdict.ts'
import { trials } from '../../soak/trials/index.ts'

const BEGIN = '<!-- What follows is made by npm run docs. -->'
const END = '<!-- End of what is made. -->'

/** The page with the table of verdicts made anew from the runs that are written down. */
export function reliabilityPage(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('docs/reliability.md lost its marks.')
  return `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`
}

function table(): string {
  const runs = histories().filter(({ size }) => size !== 'ci')
  const rows = trials.map((trial) => row(trial, latest(runs.filter(({ name }) => name === trial.name))))
  return `| fault | what must hold | rounds | what was done | seed, date | verdict |
|---|---|---|---|---|---|
${rows.join('\n')}`
}

function row(trial: Trial, run: History | undefined): string {
  const head = `| ${trial.id} \`${trial.name}\` | ${trial.holds}`
  if (run === undefined)
    return `${head} | 0 of ${trial.sizes.soak} ${trial.rounds} | | | not run at this size |`
  const rounds = `${nextRound(run)} of ${run.of} ${trial.rounds}`
  const date = (run.ending?.at ?? run.stretches.at(-1)?.at ?? '').slice(0, 10)
  return `${head} | ${rounds} | ${operations(run)} | ${run.seed}, ${date} | ${verdictOf(run.ending)} |`
}

/** The run that got furthest in time: a broken one is followed by another once its fault is mended. */
const latest = (runs: readonly History[]): History | undefined =>
  runs.toSorted((a, b) => lastAt(a).localeCompare(lastAt(b))).at(-1)

const lastAt = ({ ending, stretches }: History): string => ending?.at ?? stretches.at(-1)?.at ?? ''
