import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/lib/runtime.js'
import type { Samples, Size } from './trial.ts'

/** Where the runs of this tree are written down. */
const historyFolder = join(root, 'soak', 'history')

/** Rounds done one after the other, added up. */
export interface Stretch {
  /** The first of them, and the one after the last. */
  readonly from: number
  readonly to: number
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  readonly seconds: number
  /** When the last one ended, ISO 8601. */
  readonly at: string
  /** Of the tree that ran; with `+` when it held what was not committed. */
  readonly commit: string
}

/** One run of a trial, in as many sittings as it took. */
export interface History {
  readonly trial: string
  readonly name: string
  readonly size: Size
  readonly seed: number
  /** How many rounds the run is to have. */
  readonly of: number
  readonly stretches: readonly Stretch[]
  /** What its end found, once all rounds were done. */
  readonly ending?: Ending
}

export interface Ending {
  readonly verdict: 'held' | 'broken' | 'empty'
  readonly figures: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  readonly at: string
}

type Head = Omit<History, 'stretches' | 'ending'>

/** A file of lines, each written once and never changed; what was sampled lies in another beside it. */
export interface HistoryFile {
  read(): History | undefined
  readSamples(): Samples[]
  begin(head: Head): void
  add(stretch: Stretch, samples: Samples): void
  end(ending: Ending): void
  remove(): void
}

export function historyFile(
  name: string,
  size: Size,
  { seed, folder = historyFolder }: { readonly seed: number; readonly folder?: string },
): HistoryFile {
  const file = join(folder, `${name}.${size}.${seed}.jsonl`)
  const samplesFile = `${file.slice(0, -'.jsonl'.length)}.samples`
  const append = (to: string, value: object) => appendFileSync(to, `${JSON.stringify(value)}\n`)
  return {
    read: () => (existsSync(file) ? parse(wholeLines(file)) : undefined),
    readSamples: () => (existsSync(samplesFile) ? linesOf<Samples>(wholeLines(samplesFile)) : []),
    begin(head) {
      mkdirSync(folder, { recursive: true })
      append(file, head)
    },
    add(stretch, samples) {
      if (Object.keys(samples).length > 0) append(samplesFile, samples)
      append(file, stretch)
    },
    end: (ending) => append(file, ending),
    remove() {
      rmSync(file, { force: true })
      rmSync(samplesFile, { force: true })
    },
  }
}

/** All runs that are written down, of one trial or of every one. */
export function histories(name?: string): History[] {
  if (!existsSync(historyFolder)) return []
  return readdirSync(historyFolder)
    .filter((file) => file.endsWith('.jsonl') && (name === undefined || file.startsWith(`${name}.`)))
    .toSorted()
    .map((file) => parse(readFileSync(join(historyFolder, file), 'utf8')))
}

/** The first round that nobody has done. */
export const nextRound = ({ stretches }: History): number => stretches.at(-1)?.to ?? 0

/** What was counted in all stretches. */
export function totalCounts({ stretches }: Pick<History, 'stretches'>): Record<string, number> {
  const total: Record<string, number> = {}
  for (const { counts } of stretches) addCounts(total, counts)
  return total
}

export function addCounts(total: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(counts)) total[kind] = (total[kind] ?? 0) + count
}

/** The text without a last line that a killed process left half written; that is taken off the file, too. */
function wholeLines(file: string): string {
  const text = readFileSync(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole !== text) truncateSync(file, Buffer.byteLength(whole))
  return whole
}

const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T)

function parse(text: string): History {
  const [head, ...rest] = linesOf<Head | Stretch | Ending>(text)
  if (head === undefined || !('trial' in head)) throw new Error('A history begins with what it is of.')
  const ending = rest.find((line): line is Ending => 'verdict' in line)
  return {
    ...head,
    stretches: rest.filter((line): line is Stretch => 'from' in line),
    ...(ending !== undefined && { ending }),
  }
}
