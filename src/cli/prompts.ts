import { type CANCEL_SYMBOL, confirm, isCancel, password, text } from '@clack/prompts'
import { cancelled } from './secret-input.ts'
import { visible } from './visible.ts'

/** Says what is wrong with an answer, or nothing. */
export type Check = (answer: string) => string | undefined

/** Asks for a line, until it is one that will do. */
export async function askLine(question: string, check: Check, suggestion = ''): Promise<string> {
  const validate = (answer: string | undefined) => check(answer ?? '')
  return answered(await text({ message: visible(question), initialValue: suggestion, validate }))
}

/** Asks for a secret without showing it, until it is one that will do. */
export async function askSecret(what: string, check: Check): Promise<string> {
  const validate = (answer: string | undefined) => check(answer ?? '')
  return answered(await password({ message: visible(what), clearOnError: true, validate }))
}

/** As `askSecret`, twice, since nobody sees what was typed. */
export async function askSecretTwice(what: string, check: Check): Promise<string> {
  const first = await askSecret(what, check)
  await askSecret(`${what} (again)`, (answer) =>
    answer === first ? undefined : 'The two differ. Type the first one again.',
  )
  return first
}

/** Asks whether to go on; anything but a yes ends the command. */
export async function askToGoOn(question: string): Promise<void> {
  if (!answered(await confirm({ message: visible(question), initialValue: false }))) throw cancelled()
}

function answered<T>(answer: T | typeof CANCEL_SYMBOL): T {
  if (isCancel(answer)) throw cancelled()
  return answer as T // What is not the one symbol is the answer.
}
