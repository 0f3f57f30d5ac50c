import type { Command } from 'commander'
import type { ExitCode } from './exit-code.ts'

/** What was given to a command beside its own options. */
export interface Invocation {
  /** The arguments that stand by themselves, in order. */
  readonly args: readonly string[]
  /** The file of `--config`. */
  readonly configFile: string | undefined
}

/** Does what a command is for. */
export type Handler = (given: Invocation) => Promise<ExitCode>

/** Adds arguments, options and examples to a command and gives what it does. */
export type Declare = (command: Command) => Handler

/** Ends the help of a command by what one would type. */
export function examples(command: Command, ...lines: readonly string[]): void {
  const title = lines.length === 1 ? 'Example:' : 'Examples:'
  command.addHelpText('after', ['', title, ...lines.map((line) => `  ${line}`)].join('\n'))
}
