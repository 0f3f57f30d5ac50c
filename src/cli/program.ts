import { resolve } from 'node:path'
import { environment, findLockedNode, nodeFlags, root } from '../../scripts/lib/runtime.js'
import { type Config, loadConfig } from '../config/load.ts'
import { UsageError } from './exit-code.ts'

/** What another program needs to know to start this one. */
export interface Program {
  /** Its folder. */
  readonly root: string
  /** The Node that it runs on. */
  readonly node: string
  /** Flags of that Node. */
  readonly flags: readonly string[]
  /** Variables that have to be set before it begins. */
  readonly environment: Readonly<Record<string, string>>
}

export const program: Program = {
  root,
  node: findLockedNode() ?? process.execPath,
  flags: nodeFlags,
  // The settings say how many threads there are; this one is too late for those alone.
  environment: { MALLOC_ARENA_MAX: environment.MALLOC_ARENA_MAX },
}

/**
 * The settings as a service will have them: those of the file alone, for it does not inherit our environment.
 *
 * @throws UsageError where no file is named.
 */
export function settingsOfService(configFile: string | undefined): {
  readonly file: string
  readonly config: Config
} {
  const named = configFile ?? process.env.WATCHWORD_CONFIG
  if (named === undefined || named === '') {
    throw new UsageError(
      'A service needs its settings in a file. Name it: --config /etc/watchword/watchword.toml',
    )
  }
  const cwd = process.cwd()
  return { file: resolve(cwd, named), config: loadConfig({ cwd, env: {}, file: named }) }
}
