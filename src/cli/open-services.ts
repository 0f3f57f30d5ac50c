import { userInfo } from 'node:os'
import type { Operator } from '../actions/caller.ts'
import type { Config } from '../config/load.ts'
import type { Services } from '../services.ts'

/** The settings in force for this command. */
export async function readConfig(configFile: string | undefined): Promise<Config> {
  const { loadConfig } = await import('../config/load.ts')
  return loadConfig({ cwd: process.cwd(), env: process.env, file: configFile })
}

/** Lends the services to some work and closes what they hold open, whatever becomes of it. */
export async function withServices<T>(
  configFile: string | undefined,
  work: (services: Services, config: Config) => Promise<T>,
): Promise<T> {
  const config = await readConfig(configFile)
  // Loaded only now: help and refusals need nothing of it.
  const { compose } = await import('../compose.ts')
  const { services, close } = await compose(config)
  try {
    return await work(services, config)
  } finally {
    await close()
  }
}

/** Who is at the keyboard, for the audit log. */
export function operator(): Operator {
  try {
    return { operator: userInfo().username }
  } catch {
    // A container may run us under a number that has no name.
    return { operator: `uid ${process.getuid?.() ?? 'unknown'}` }
  }
}
