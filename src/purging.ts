import { purgeInTurn } from './actions/purge-in-turn.ts'
import type { createLog } from './observe/log.ts'
import type { Services } from './services.ts'

const PURGE_EVERY_MS = 10 * 60 * 1000
/** The first one, for processes that do not live as long as that, and late enough not to slow the start. */
const FIRST_PURGE_MS = 30 * 1000

/** Removes what has expired in turn with other nodes, again and again, until what it gives is called. */
export function startPurging(services: Services, log: ReturnType<typeof createLog>): () => void {
  const purge = () =>
    purgeInTurn(services).catch((error: unknown) => log.error({ err: error }, 'purge failed'))
  const first = setTimeout(purge, FIRST_PURGE_MS)
  const timer = setInterval(purge, PURGE_EVERY_MS)
  return () => {
    clearTimeout(first)
    clearInterval(timer)
  }
}
