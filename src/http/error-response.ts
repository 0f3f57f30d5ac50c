import type { Logger } from 'pino'
import { AmbiguousCookieError } from '../domain/cookie.ts'
import { HashQueueTimeout, StorageFault, UncertainCommit } from '../domain/faults.ts'
import { type Answer, busy, failure } from './answer.ts'

/** The one place where a fault becomes an answer; whatever it is, nothing was allowed (SEC-ERR-3). */
export function errorAnswer(error: unknown, log: Logger): Answer {
  if (error instanceof AmbiguousCookieError) {
    return failure(
      400,
      'ambiguous_cookie',
      'A cookie came twice. Clear the cookies of this site and try again.',
    )
  }
  if (error instanceof HashQueueTimeout) return busy()
  if (error instanceof UncertainCommit) {
    // With the number of the request, which is in the audit log if it was stored.
    log.error({ err: error }, 'commit uncertain')
    return failure(
      503,
      'outcome_unknown',
      'The server lost its storage at the last moment: what you asked for was done wholly or not at all. ' +
        'Look before you repeat it. A one-time code that you sent counts as used: wait for the next one.',
      { headers: { 'retry-after': '30' } },
    )
  }
  if (error instanceof StorageFault) {
    log.error({ err: error }, 'storage fault')
    return failure(
      503,
      'storage_unavailable',
      'The server cannot reach its storage. Nothing was changed; try again.',
      {
        headers: { 'retry-after': '5' },
      },
    )
  }
  log.error({ err: error }, 'unexpected error')
  return failure(500, 'internal_error', 'Something went wrong on our side. Nothing was changed; try again.')
}
