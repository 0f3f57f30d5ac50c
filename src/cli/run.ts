import type { ExitCode } from './exit-code.ts'

/**
 * Runs the program with the arguments that follow its name, and says what to exit with.
 *
 * The bare `serve` goes without the parser of arguments: somebody waits for the first answer.
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  try {
    if (args.length === 1 && args[0] === 'serve') {
      const { runServer } = await import('./commands/serve.ts')
      return await runServer(undefined)
    }
    const { parse } = await import('./parse.ts')
    return await parse(args)
  } catch (error) {
    const { explainFailure } = await import('./explain-failure.ts')
    const { code, text } = explainFailure(error)
    process.stderr.write(`${text}\n`)
    return code
  }
}
