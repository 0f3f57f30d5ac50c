import { once } from 'node:events'
import { settingsOf } from './data.ts'
import type { Bench } from './line.ts'
import { PASSWORD } from './people.ts'
import { benchFile, type StartedServer, startNode, startServer } from './processes.ts'

/** Threads that hash passwords at once, in every measurement: as many as the machine of the targets has cores. */
export const HASH_THREADS = 2

/** Watchword as it is installed: by its launcher, with its defaults. */
export function startWatchword(
  { data, log }: Bench,
  env: NodeJS.ProcessEnv = {},
  folder = data.watchword('real'),
): Promise<StartedServer> {
  const settings = {
    ...settingsOf(folder),
    WATCHWORD_PASSWORD_HASH_THREADS: String(HASH_THREADS),
  }
  return startServer(['bin/watchword.js', 'serve'], { log, env: { ...settings, ...env } })
}

/** Watchword with the least password hash there is. */
export function startWithoutHash({ data, log }: Bench): Promise<StartedServer> {
  return startServer([benchFile('server-without-hash.ts')], { log, env: settingsOf(data.watchword('least')) })
}

export function startBare({ data, log }: Bench, hash: 'real' | 'least'): Promise<StartedServer> {
  return startServer([benchFile('reference/bare-server.ts'), data.bare(hash)], { log })
}

/** The bare framework, which answers `/login` with what it is given. */
export function startBarePages({ log }: Bench, answer: string): Promise<StartedServer> {
  return startServer([benchFile('reference/bare-pages.ts'), answer], { log })
}

/** The password hash alone, in a process of its own. */
export interface HashRate {
  /** Works for so long; gives hashes a second and processor seconds of one hash. */
  measure(milliseconds: number): Promise<{ rate: number; cpuEach: number }>
  stop(): Promise<void>
}

/** The same binding, parameters and threads as the server's. */
export function startHashRate({ data }: Bench, hash: 'real' | 'least'): HashRate {
  const { child, stop } = startNode([benchFile('reference/hash-rate.ts')], {
    env: { UV_THREADPOOL_SIZE: String(HASH_THREADS) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return {
    async measure(milliseconds) {
      const answer = once(child, 'message')
      child.send({ hash: data.hashOf(hash), password: PASSWORD, milliseconds })
      return (await answer)[0]
    },
    stop,
  }
}
