import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import type { ExitCode } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'

/** Serves until a signal ends it; gives back when every open request was answered. */
export async function runServer(configFile: string | undefined): Promise<ExitCode> {
  const config = loadConfig({ cwd: process.cwd(), env: process.env, file: configFile })
  const { serve } = await import('../../serve.ts')
  return (await serve(config)) as ExitCode // A worker exits with one of them too.
}

/** `watchword serve` */
export function declareServe(command: Command): Handler {
  examples(command, 'watchword serve', 'watchword serve --config /etc/watchword/watchword.toml')
  return ({ configFile }) => runServer(configFile)
}
