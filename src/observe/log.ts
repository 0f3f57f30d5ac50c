import { type DestinationStream, type Level, type Logger, pino } from 'pino'
import { standardError } from './standard-error.ts'

/** Names of fields that are taken out of a line; the second line of defence, for nobody logs them (SEC-LOG-3). */
const secret = [
  'password',
  'otp',
  'code',
  'token',
  'cookie',
  'authorization',
  'key',
  'shared_secret',
  'recovery_codes',
]

/**
 * The log: JSON lines on standard error, times in UTC with milliseconds (SEC-LOG-2).
 *
 * An error is told by its kind, message and stack, and no further field of it: drivers keep queries and their
 * values there. A line tells the number of the worker where there are several.
 */
export function createLog(
  level: Level | 'silent',
  destination: DestinationStream = standardError(),
  worker?: number,
): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid, ...(worker !== undefined && { worker }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: [...secret], censor: '[removed]' },
      serializers: { err: describeError },
    },
    destination,
  )
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {}
  return { type: error.name, message: error.message, stack: error.stack, ...cause }
}
