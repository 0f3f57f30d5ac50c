import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { ensureDebianPackages } from '../scripts/lib/debian.js'
import { run } from '../scripts/lib/run.js'
import { root } from '../scripts/lib/runtime.js'
import { histories, historyFile } from './support/history.ts'
import { repeatRound, runTrial } from './support/run-trial.ts'
import { type Size, sizes, type Trial } from './support/trial.ts'
import { verdictLine } from './support/verdict.ts'
import { trials } from './trials/index.ts'

// npm run soak -- NAME: causes one fault of the catalogue again and again, and says what held (docs/reliability.md).
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: 'ci' },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '170' },
    round: { type: 'string' },
    again: { type: 'boolean', default: false },
  },
})
const [name] = positionals
const size = sizes.find((each) => each === values.size)
if (size === undefined) refuse(`--size is one of ${sizes.join(', ')}.`)
const minutes = wholeNumber('minutes', values.minutes)
const seed = values.seed === undefined ? undefined : wholeNumber('seed', values.seed)
const trial = trials.find((each) => each.name === name || each.id === name)

if (name === undefined) list()
else if (name === 'all') await runAll(size)
else if (trial === undefined) refuse(`There is no trial ${name}. npm run soak lists them.`)
else await runOne(trial, size)

function list(): void {
  console.log(
    'npm run soak -- NAME|all [--size ci|soak|release] [--seed N] [--minutes N] [--again] [--round N]\n',
  )
  for (const { id, name, holds, rounds, sizes: many } of trials) {
    console.log(
      `${id.padEnd(11)} ${name.padEnd(20)} ${sizes.map((each) => many[each]).join(' / ')} ${rounds}`,
    )
    console.log(`${' '.repeat(12)}${holds}`)
  }
}

/** Each in a process of its own, so that none inherits what another left. */
async function runAll(size: Size): Promise<void> {
  const failed: string[] = []
  for (const { name } of trials) {
    const words = process.argv.slice(2).filter((word) => word !== 'all')
    const { code } = await run(process.execPath, [import.meta.filename, name, ...words])
    if (code !== 0) failed.push(name)
  }
  console.log(`\n${trials.length - failed.length} of ${trials.length} trials held at size ${size}.`)
  if (failed.length > 0) console.log(`Did not: ${failed.join(', ')}`)
  process.exitCode = failed.length > 0 || trials.length === 0 ? 1 : 0
}

async function runOne(trial: Trial, size: Size): Promise<void> {
  await ensureDebianPackages()
  const seedOfRun = seed ?? seedFor(trial, size)
  if (values.round !== undefined) {
    const number = wholeNumber('round', values.round)
    console.log(JSON.stringify(await repeatRound(trial, { size, seed: seedOfRun, number }), undefined, 2))
    return process.exit()
  }
  const history = historyFile(trial.name, size, { seed: seedOfRun })
  // A run with a change is a new one; a long one goes on where it stopped.
  if (values.again || size === 'ci') history.remove()
  if (history.read()?.ending === undefined) await finish(trial, { size, seed: seedOfRun, history })
  const done = history.read()
  if (done !== undefined) console.log(verdictLine(trial, done))
  // What a broken round left running must not keep this process.
  process.exit(done?.ending?.verdict === 'held' ? 0 : 1)
}

async function finish(
  trial: Trial,
  at: { readonly size: Size; readonly seed: number; readonly history: ReturnType<typeof historyFile> },
): Promise<void> {
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopped) process.exit(130)
      isStopped = true
      console.log('Stopping after this round; the same command goes on from what was written last.')
    })
  }
  const isQuiet = at.size === 'ci'
  await runTrial(trial, {
    ...at,
    commit: commitOf(),
    seconds: minutes * 60,
    isStopped: () => isStopped,
    say: (line) => {
      if (!isQuiet || line.startsWith('✖')) console.log(line)
    },
  })
}

/** With each change the same, so that what fails is the change; else that of the run to go on with, or a new one. */
function seedFor({ name }: Trial, size: Size): number {
  if (size === 'ci') return 1
  const unfinished = histories(name).find((each) => each.size === size && each.ending === undefined)
  return unfinished?.seed ?? randomInt(1, 1_000_000)
}

function commitOf(): string {
  try {
    const git = (...words: string[]) => execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
    const isChanged = git('status', '--porcelain', '--', 'src', 'soak/trials') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) refuse(`--${option} is a whole number.`)
  return Number(text)
}

function refuse(why: string): never {
  console.error(why)
  process.exit(2)
}
