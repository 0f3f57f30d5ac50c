import { type Config, loadConfig } from '../../src/config/load.ts'

/** What a trial sets beyond what settings allow; handed to a server process as JSON in this variable. */
export const BEYOND = 'SOAK_BEYOND'

export interface Beyond {
  /** The folder of `watchword.toml`. */
  readonly folder: string
  readonly throttle?: Partial<Config['throttle']>
  /** Password hashes as they are outside of trials. */
  readonly realHashes?: boolean
}

/** The settings of an environment, with what the trial sets beyond them. */
export function trialConfig(env: NodeJS.ProcessEnv): Config {
  const { folder, throttle = {}, realHashes = false } = JSON.parse(env[BEYOND] ?? '') as Beyond
  const settings = Object.fromEntries(Object.entries(env).filter(([name]) => name !== BEYOND))
  const config = loadConfig({ cwd: folder, env: settings })
  const hash = realHashes ? {} : { memoryKib: 8, passes: 1 }
  return {
    ...config,
    throttle: { ...config.throttle, ...throttle },
    password: { ...config.password, ...hash },
  }
}
