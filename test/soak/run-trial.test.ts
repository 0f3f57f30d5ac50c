import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { historyFile, nextRound, totalCounts } from '../../soak/support/history.ts'
import { seededRandom } from '../../soak/support/random.ts'
import { type RunOptions, repeatRound, runTrial } from '../../soak/support/run-trial.ts'
import type { Round, Stage, Trial } from '../../soak/support/trial.ts'
import { verdictLine } from '../../soak/support/verdict.ts'

const drawn = (number: number) => seededRandom('sample', 7, number).below(1000)

/** A trial of ten rounds that draws a number in each. */
function sample(more: Partial<Trial> & { readonly round?: (number: number) => Partial<Round> } = {}): Trial {
  const { round = () => ({}), ...rest } = more
  return {
    id: 'SAMPLE-1',
    name: 'sample',
    holds: 'Nothing breaks.',
    rounds: 'draws',
    sizes: { ci: 10, soak: 10, release: 10 },
    needs: ['numbers'],
    patience: 10,
    begin: async () => ({
      round: async (number, random) => ({
        counts: { numbers: 1 },
        violations: [],
        samples: { drawn: [random.below(1000)] },
        ...round(number),
      }),
      end: async () => undefined,
    }),
    ...rest,
  }
}

function options(t: TestContext, more: Partial<RunOptions> = {}): RunOptions {
  const folder = mkdtempSync(join(tmpdir(), 'ww-history-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const history = historyFile('sample', 'soak', { seed: 7, folder })
  return {
    ...{ size: 'soak', seed: 7, history, commit: 'c0ffee', seconds: 60 },
    ...{ isStopped: () => false, say: () => {}, ...more },
  }
}

const verdict = ({ history }: RunOptions, trial = sample()) => {
  const read = history.read()
  return read === undefined ? 'none' : verdictLine(trial, read)
}

describe('a trial of the soak harness', () => {
  it('tells in one line how much was really done', async (t) => {
    const run = options(t)
    await runTrial(sample(), run)
    assert.match(
      verdict(run),
      /^SAMPLE-1 sample · soak · seed 7 · 10 of 10 draws · 10 numbers · \d+ s · held$/,
    )
  })

  it('goes on where it ended, and judges both sittings together', async (t) => {
    const seen: number[] = []
    const trial = sample({
      round: (number) => {
        seen.push(number)
        if (seen.length === 5) throw new Error('no such port')
        return {}
      },
      judge: ({ drawn: values = [] }) => ({ figures: { sum: sum(values) }, violations: [] }),
    })
    const run = options(t)
    await assert.rejects(runTrial(trial, run), /no such port/)
    assert.match(verdict(run), /4 of 10 draws · 4 numbers.* · UNFINISHED$/)
    await runTrial(trial, run)
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9])
    assert.match(verdict(run), /10 of 10 draws · 10 numbers, sum \d+ · .*held$/)
    assert.equal(run.history.read()?.ending?.figures.sum, sum([...new Set(seen)].map(drawn)))
  })

  it('writes nothing of what it saw while it was stopped, as its servers may have been, too', async (t) => {
    let isStopped = false
    const run = options(t, { isStopped: () => isStopped })
    const trial = sample({
      round: (number) => {
        isStopped = number === 4
        return isStopped ? { violations: ['A session is unsent.'] } : {}
      },
    })
    const begin = async (stage: Stage) => ({
      ...(await trial.begin(stage)),
      end: async () => ({ violations: isStopped ? ['Everybody is unsent.'] : [] }),
    })
    await runTrial({ ...trial, begin }, run)
    assert.match(verdict(run), /0 of 10 draws · nothing done · 0 s · UNFINISHED$/)
    await runTrial(sample(), { ...run, isStopped: () => false })
    assert.match(verdict(run), /10 of 10 draws · 10 numbers · .*held$/)
  })

  it('ends without a fault when a round fails while it is stopped', async (t) => {
    let isStopped = false
    const run = options(t, { isStopped: () => isStopped })
    const round = () => {
      isStopped = true
      throw new Error('no such port')
    }
    await runTrial(sample({ round }), run)
    assert.match(verdict(run), /0 of 10 draws · nothing done · 0 s · UNFINISHED$/)
  })

  it('begins no round after its time', async (t) => {
    const run = options(t, { seconds: 0 })
    await runTrial(sample(), run)
    assert.match(verdict(run), /0 of 10 draws · nothing done · 0 s · UNFINISHED$/)
  })

  it('is broken by one violation, and names its round', async (t) => {
    const run = options(t)
    await runTrial(sample({ round: (number) => (number === 3 ? { violations: ['It broke.'] } : {}) }), run)
    assert.match(verdict(run), / · BROKEN$/)
    assert.deepEqual(run.history.read()?.stretches[0]?.violations, ['Round 3: It broke.'])
  })

  it('is broken by what its end finds, and by its judgement', async (t) => {
    const ends = options(t)
    const trial = sample()
    const begin = async (stage: Stage) => ({
      ...(await trial.begin(stage)),
      end: async () => ({ violations: ['A row is missing.'] }),
    })
    await runTrial({ ...trial, begin }, ends)
    assert.match(verdict(ends), / · BROKEN$/)

    const judges = options(t)
    const judge = () => ({ figures: {}, violations: ['The two can be told apart.'] })
    await runTrial(sample({ judge }), judges)
    assert.match(verdict(judges), / · BROKEN$/)
    assert.deepEqual(judges.history.read()?.ending?.violations, ['The two can be told apart.'])
  })

  it('shows nothing when what it is about never happened', async (t) => {
    const run = options(t)
    await runTrial(sample({ round: () => ({ counts: {} }) }), run)
    assert.match(verdict(run), /50 of 10 draws · nothing done · .* · NOTHING SHOWN$/)
  })

  it('goes on until what it is about has happened, in one sitting or two', async (t) => {
    const trial = sample({ round: (number) => ({ counts: number === 23 ? { numbers: 1 } : {} }) })
    const run = options(t)
    await runTrial(trial, run)
    assert.match(verdict(run), /24 of 10 draws · 1 numbers · .* · held$/)

    const twice = options(t)
    const ending = sample({
      round: (number) => {
        if (number === 12) throw new Error('no such port')
        return { counts: {} }
      },
    })
    await assert.rejects(runTrial(ending, twice), /no such port/)
    assert.match(verdict(twice), /12 of 10 draws · .* · UNFINISHED$/)
    await runTrial(trial, twice)
    assert.match(verdict(twice), /24 of 10 draws · 1 numbers · .* · held$/)
  })

  it('ends a round that does not end, and what was started for it', async (t) => {
    let isEnded = false
    const run = options(t)
    let folder = ''
    const begin = async (stage: Stage) => {
      folder = stage.folder
      return {
        round: () => new Promise<Round>(() => {}),
        end: async () => {
          isEnded = true
          return undefined
        },
      }
    }
    await runTrial(sample({ patience: 0.01, begin }), run)
    assert.deepEqual([isEnded, existsSync(folder)], [true, false])
    assert.deepEqual(run.history.read()?.stretches[0]?.violations, [
      'Round 0 did not end within 0.01 seconds.',
    ])
  })

  it('keeps what was done when a round throws', async (t) => {
    const run = options(t)
    const trial = sample({
      round: (number) => {
        if (number === 2) throw new Error('no such port')
        return {}
      },
    })
    await assert.rejects(runTrial(trial, run), /no such port/)
    const history = run.history.read()
    assert.ok(history !== undefined)
    assert.deepEqual([nextRound(history), totalCounts(history)], [2, { numbers: 2 }])
  })

  it('reads a history whose last line was cut, and writes on after it', async (t) => {
    const run = options(t, { isStopped: () => true })
    await runTrial(sample(), run)
    const folder = mkdtempSync(join(tmpdir(), 'ww-history-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const cut = historyFile('sample', 'soak', { seed: 8, folder })
    cut.begin({ trial: 'SAMPLE-1', name: 'sample', size: 'soak', seed: 8, of: 10 })
    appendFileSync(join(folder, 'sample.soak.8.jsonl'), '{"from":0,"to"')
    await runTrial(sample(), { ...run, history: cut, seed: 8, isStopped: () => false })
    assert.match(verdict({ ...run, history: cut }), /10 of 10 draws .* held$/)
  })

  it('repeats one round by its seed and number', async () => {
    const round = await repeatRound(sample(), { size: 'soak', seed: 7, number: 5 })
    assert.deepEqual(round.samples?.drawn, [drawn(5)])
    assert.notEqual(drawn(5), drawn(6))
  })
})

it('draws every one of a list, each about as often, and shuffles without loss', () => {
  const random = seededRandom('chance', 1)
  const counts = [0, 0, 0, 0]
  for (let draw = 0; draw < 4000; draw++) {
    const value = random.pick([0, 1, 2, 3] as const)
    counts[value] = (counts[value] ?? 0) + 1
  }
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`)
  assert.deepEqual(random.shuffled([1, 2, 3, 4, 5]).toSorted(), [1, 2, 3, 4, 5])
})

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
