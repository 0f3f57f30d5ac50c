/** What the shell is told. A command gives it back; nothing in here calls `process.exit`. */
export const ExitCode = {
  done: 0,
  /** Understood, and not done: an unknown user, an unsuitable password, a database that does not answer. */
  refused: 1,
  /** Not understood: arguments, standard input or settings that do not fit. */
  usage: 2,
  /** Our own mistake (EX_SOFTWARE of sysexits.h). */
  bug: 70,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The command was given wrongly; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What was asked for is not done; the message says why and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}
