import { type History, nextRound, totalCounts } from './history.ts'
import type { Trial } from './trial.ts'

/** What a run has shown so far, in one line that tells how much was really done. */
export function verdictLine({ id, name, rounds }: Trial, history: History): string {
  const { size, seed, of, stretches, ending } = history
  const seconds = stretches.reduce((sum, stretch) => sum + stretch.seconds, 0)
  const time = seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
  const done = `${number(nextRound(history))} of ${number(of)} ${rounds}`
  return [`${id} ${name}`, size, `seed ${seed}`, done, operations(history), time, verdictOf(ending)].join(
    ' · ',
  )
}

/** `1,204 sign-ins, 33 refusals`, and the figures of the judgement. */
export function operations(history: History): string {
  const counts = Object.entries(totalCounts(history)).map(([kind, count]) => `${number(count)} ${kind}`)
  const figures = Object.entries(history.ending?.figures ?? {}).map(([what, value]) => `${what} ${value}`)
  return [...counts, ...figures].join(', ') || 'nothing done'
}

export const verdictOf = (ending: History['ending']): string =>
  ending === undefined
    ? 'UNFINISHED'
    : { held: 'held', broken: 'BROKEN', empty: 'NOTHING SHOWN' }[ending.verdict]

const number = (value: number) => value.toLocaleString('en-US')
