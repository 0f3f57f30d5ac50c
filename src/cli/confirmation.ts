import type { Command } from 'commander'
import { UsageError } from './exit-code.ts'
import { isInteractive } from './secret-input.ts'

/** Adds the option that answers "are you sure" beforehand. */
export function addYes(command: Command): void {
  command.option('--yes', 'do not ask whether to go on')
}

/**
 * Asks on a terminal whether to go on, unless `--yes` was given.
 *
 * @param withoutTerminal whether a script may leave out `--yes`
 */
export async function confirmed(
  options: { readonly yes?: true },
  question: string,
  withoutTerminal: 'goes-on' | 'needs-yes',
): Promise<void> {
  if (options.yes) return
  if (isInteractive()) return (await import('./prompts.ts')).askToGoOn(question)
  if (withoutTerminal === 'needs-yes') {
    throw new UsageError('There is no terminal to ask whether to go on. Add --yes if you are sure.')
  }
}
