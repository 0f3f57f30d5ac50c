import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addCounts, type Ending, type HistoryFile, nextRound, type Stretch, totalCounts } from './history.ts'
import { seededRandom } from './random.ts'
import type { Round, Running, Samples, Size, Trial } from './trial.ts'

/** After so many there is nothing left to learn from going on. */
const ENOUGH_VIOLATIONS = 20
/** What a trial needs may be rare: a run without it goes on to so many times the rounds it was to have. */
const LONGER = 5
/** What is done is written down this often, so that little is repeated after an interruption. */
const STRETCH_SECONDS = 20

export interface RunOptions {
  readonly size: Size
  readonly seed: number
  readonly history: HistoryFile
  readonly commit: string
  /** No round begins after so many seconds. */
  readonly seconds: number
  /** Says whether somebody asked to stop. */
  readonly isStopped: () => boolean
  readonly say: (line: string) => void
}

/**
 * Does the rounds that nobody has done yet, and writes down each stretch; the ending too once all are done.
 *
 * When somebody stops it, the stretch under way is not written: the signal may have ended the servers, too, and what
 * was seen then would tell of that alone.
 */
export async function runTrial(trial: Trial, options: RunOptions): Promise<void> {
  const { size, seed, history, commit, say } = options
  const known = history.read()
  const of = known?.of ?? trial.sizes[size]
  if (known === undefined) history.begin({ trial: trial.id, name: trial.name, size, seed, of })
  const deadline = performance.now() + options.seconds * 1000
  let next = known === undefined ? 0 : nextRound(known)
  const counted = known === undefined ? {} : totalCounts(known)
  let stretch = emptyStretch()
  const flush = (last: Partial<Round> | undefined = {}) => {
    add(stretch, { counts: {}, violations: [], ...last })
    if (stretch.from === next && stretch.violations.length === 0) return
    const { from, counts, violations, began, samples } = stretch
    const seconds = Math.round((performance.now() - began) / 100) / 10
    const done: Stretch = { from, to: next, counts, violations, seconds, at: now(), commit }
    history.add(done, samples)
    stretch = emptyStretch()
    for (const violation of violations) say(`✖ ${violation}`)
    say(`${trial.name}: ${next} of ${of} ${trial.rounds}`)
  }

  await withStage(trial, size, async (running) => {
    let isOverdue = false
    let violations = known?.stretches.flatMap((each) => each.violations).length ?? 0
    while (isOpen(trial, { of, next, counted }) && !isOverdue && violations < ENOUGH_VIOLATIONS) {
      if (options.isStopped()) return 'cut short'
      if (performance.now() > deadline) break
      const round = await oneRound(trial, running, { number: next, seed })
      if (options.isStopped()) return 'cut short'
      isOverdue = round === 'overdue'
      const found = round === 'overdue' ? overdue(trial, next) : named(round, next)
      add(stretch, found)
      addCounts(counted, found.counts)
      violations += found.violations.length
      next += 1
      if (performance.now() - stretch.began > STRETCH_SECONDS * 1000) flush()
    }
    return isOverdue ? 'cut short' : 'done'
  }).then(
    (last) => {
      if (!options.isStopped()) flush(last)
    },
    (error: unknown) => {
      if (options.isStopped()) return
      flush()
      throw error
    },
  )
  if (options.isStopped()) return
  const after = history.read()
  if (after === undefined) throw new Error('The history of this run is gone.')
  const violations = after.stretches.flatMap((each) => each.violations)
  if (!isOpen(trial, { of, next: nextRound(after), counted }) || violations.length > 0) {
    history.end(judged(trial, totalCounts(after), violations, joined(history.readSamples())))
  }

  function emptyStretch() {
    const counts: Record<string, number> = {}
    const samples: Record<string, number[]> = {}
    return { from: next, counts, samples, violations: [] as string[], began: performance.now() }
  }
}

/** One round by itself, as it was in a run; nothing is written down. */
export async function repeatRound(
  trial: Trial,
  { size, seed, number }: { readonly size: Size; readonly seed: number; readonly number: number },
): Promise<Round> {
  const total = { counts: {} as Record<string, number>, violations: [] as string[], samples: {} }
  const last = await withStage(trial, size, async (running) => {
    const round = await oneRound(trial, running, { number, seed })
    add(total, round === 'overdue' ? overdue(trial, number) : named(round, number))
    return round === 'overdue' ? 'cut short' : 'done'
  })
  add(total, { counts: {}, violations: [], ...last })
  return total
}

/** Starts the trial, lets it be used, and ends it; what its last look found comes back. */
async function withStage(
  trial: Trial,
  size: Size,
  use: (running: Running) => Promise<'done' | 'cut short'>,
): Promise<Partial<Round> | undefined> {
  const folder = mkdtempSync(join(tmpdir(), `ww-${trial.name}-`))
  chmodSync(folder, 0o755)
  try {
    const running = await trial.begin({ folder, size })
    try {
      const end = await use(running)
      // Whatever hangs in a round, or lost its servers, may hang its end, too.
      return await (end === 'done' ? running.end() : within(30, running.end(), undefined))
    } catch (error) {
      await within(30, running.end(), undefined).catch(() => undefined)
      throw error
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const oneRound = (
  trial: Trial,
  running: Running,
  { number, seed }: { readonly number: number; readonly seed: number },
): Promise<Round | 'overdue'> =>
  within(trial.patience, running.round(number, seededRandom(trial.name, seed, number)), 'overdue' as const)

function within<T, U>(seconds: number, work: Promise<T>, otherwise: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<U>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), seconds * 1000)
  })
  return Promise.race([work, tooLong]).finally(() => clearTimeout(timer))
}

const overdue = ({ patience }: Trial, number: number): Round => ({
  counts: {},
  violations: [`Round ${number} did not end within ${patience} seconds.`],
})

const named = (round: Round, number: number): Round => ({
  ...round,
  violations: round.violations.map((violation) => `Round ${number}: ${violation}`),
})

function add(
  total: { counts: Record<string, number>; violations: string[]; samples: Record<string, number[]> },
  { counts, violations, samples = {} }: Round,
): void {
  addCounts(total.counts, counts)
  total.violations.push(...violations)
  for (const [of, values] of Object.entries(samples)) {
    const known = total.samples[of] ?? []
    for (const value of values) known.push(value)
    total.samples[of] = known
  }
}

function joined(parts: readonly Samples[]): Samples {
  const all: Record<string, number[]> = {}
  for (const part of parts) {
    for (const [of, values] of Object.entries(part)) all[of] = (all[of] ?? []).concat(values)
  }
  return all
}

interface Progress {
  readonly of: number
  /** The first round that nobody has done. */
  readonly next: number
  readonly counted: Readonly<Record<string, number>>
}

/** Whether there are rounds to do: those it was to have, and more while something that it needs never happened. */
const isOpen = (trial: Trial, { of, next, counted }: Progress): boolean =>
  next < of || (next < LONGER * of && missingOf(trial, counted).length > 0)

const missingOf = ({ needs }: Trial, counts: Readonly<Record<string, number>>): string[] =>
  needs.filter((kind) => !((counts[kind] ?? 0) > 0))

/** What all rounds together show; a run that did not do what it is about shows nothing. */
function judged(
  trial: Trial,
  counts: Readonly<Record<string, number>>,
  found: readonly string[],
  samples: Samples,
): Ending {
  const judgement = trial.judge?.(samples) ?? { figures: {}, violations: [] }
  const missing = missingOf(trial, counts)
  const violations = [...judgement.violations, ...missing.map((kind) => `There were no ${kind}.`)]
  const isBroken = found.length + judgement.violations.length > 0
  const verdict = isBroken ? 'broken' : missing.length > 0 ? 'empty' : 'held'
  return { verdict, figures: judgement.figures, violations, at: now() }
}

const now = () => new Date().toISOString()
