import type { Random } from './random.ts'

/** With each change; once a night; before a release, in several sittings. */
export const sizes = ['ci', 'soak', 'release'] as const
export type Size = (typeof sizes)[number]

/** One fault of the catalogue, caused again and again, and what must hold through all of it. */
export interface Trial {
  /** As tests and documents cite it, such as `FT-RACE-1`. */
  readonly id: string
  /** As on the command line. */
  readonly name: string
  /** What must hold, in a sentence. */
  readonly holds: string
  /** What one round is, in the plural, such as `crashes`. */
  readonly rounds: string
  readonly sizes: Readonly<Record<Size, number>>
  /** Kinds of operations without which nothing was shown: each must have been counted at least once. */
  readonly needs: readonly string[]
  /** What one round may take, in seconds; a longer one is a violation and ends the run. */
  readonly patience: number
  /** Starts what the rounds share. */
  readonly begin: (stage: Stage) => Promise<Running>
  /** Judges what the rounds sampled, all together, also when they ran in several sittings. */
  readonly judge?: (samples: Samples) => Judgement
}

export interface Stage {
  /** A folder of this run, removed after it; readable by every user, as Apache and PostgreSQL have users of their own. */
  readonly folder: string
  readonly size: Size
}

/** A trial under way. */
export interface Running {
  /** One round. Whatever it draws comes from `random`, so that number and seed repeat it. */
  readonly round: (number: number, random: Random) => Promise<Round>
  /** Ends every process of the trial; may tell of what a last look found. */
  readonly end: () => Promise<Partial<Round> | undefined>
}

export interface Round {
  /** How many operations of each kind were really done, such as `sign-ins`. */
  readonly counts: Readonly<Record<string, number>>
  /** What did not hold: a sentence each, without any secret. */
  readonly violations: readonly string[]
  readonly samples?: Samples
}

/** Measured values of the rounds, by what they are of. */
export type Samples = Readonly<Record<string, readonly number[]>>

export interface Judgement {
  /** What the verdict shows, such as `{ 'area under the curve': 0.503 }`. */
  readonly figures: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}
