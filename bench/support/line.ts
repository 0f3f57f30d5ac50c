/** One line of the table: something measured, and what it must reach. */
export interface Line {
  /** As in `--only`. */
  readonly name: string
  readonly what: string
  readonly measured: number
  readonly target: number
  /** Whether more or less is better. */
  readonly must: 'be at least' | 'be at most'
  readonly unit: string
  /** Digits after the point. */
  readonly digits: number
  /** The figures behind it, for people; each a short phrase. */
  readonly behind: readonly string[]
}

export const isMet = ({ measured, target, must }: Line): boolean =>
  must === 'be at least' ? measured >= target : measured <= target

/** What every measurement is given. */
export interface Bench {
  readonly data: import('./data.ts').DataFolders
  /** Fewer and shorter rounds: a look whether everything runs, not a judgement. */
  readonly quick: boolean
  /** The log of the servers. */
  readonly log: string
}

/** Measures one or more lines that need the same servers. */
export interface Measurement {
  readonly names: readonly string[]
  readonly run: (bench: Bench) => Promise<readonly Line[]>
}
