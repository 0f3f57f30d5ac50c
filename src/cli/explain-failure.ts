import { ExitCode } from './exit-code.ts'
import { visible } from './visible.ts'

/** What is said of an error, and what the shell is told. */
export interface Failure {
  readonly code: ExitCode
  readonly text: string
}

/** The one place where an error becomes a sentence: an expected one by its name, any other as our mistake. */
export function explainFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return bug(new Error(String(error)))
  switch (error.name) {
    case 'UsageError':
    case 'ConfigError':
      return { code: ExitCode.usage, text: sentences(error.message) }
    case 'Refusal':
    case 'SourceError':
    case 'KeyFileError':
    case 'NewerDatabaseError':
    case 'ListenError':
    case 'AuthorizerListenError':
    case 'CallerSecretError':
    case 'LeaseFolderError':
    case 'BackupFileError':
    case 'PassphraseError':
    case 'InUseError':
      return { code: ExitCode.refused, text: sentences(error.message) }
    case 'StorageFault':
      return { code: ExitCode.refused, text: sentences(storageFault(error)) }
    case 'UncertainCommit':
      return { code: ExitCode.refused, text: sentences(`${storageFault(error)} ${uncertain}`) }
    case 'SealError':
      return { code: ExitCode.refused, text: sentences(`${error.message} See: watchword keys check`) }
    case 'HashQueueTimeout':
      return { code: ExitCode.refused, text: 'The machine is too busy to hash a password. Try again.' }
    default:
      return systemFault(error) ?? bug(error)
  }
}

const uncertain =
  'It was lost at the last moment: this was done wholly or not at all. Look before you repeat it.'

/** Each line by itself, as those of a ConfigError are. */
const sentences = (text: string): string => text.split('\n').map(visible).join('\n')

function storageFault(error: Error): string {
  const { cause } = error
  // An address that does not answer by any of its numbers: each has its own message, and the whole has none.
  const inner =
    cause instanceof AggregateError ? cause.errors.map((one: Error) => one.message).join(', ') : ''
  const what = error.message === '' ? inner : error.message
  return `The database failed: ${what}. See "database" in: watchword config`
}

/** What the system did not let us do to a file or an address. */
function systemFault(error: NodeJS.ErrnoException): Failure | undefined {
  if (error.syscall === undefined || error.code === undefined) return undefined
  return { code: ExitCode.refused, text: sentences(`${error.message}. ${remedyOf(error.code)}`) }
}

function remedyOf(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'Stop the program that listens there, or set another "listen".'
    case 'EACCES':
    case 'EPERM':
      return 'Run this as the user that runs Watchword, or give it that file or folder (chown).'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Make room on the disk.'
    default:
      return 'See "data", "key_file" and "listen" in: watchword config'
  }
}

/** The stacks alone: a printed error would show its other properties too, which may hold a secret. */
function bug(error: Error): Failure {
  const stacks: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) stacks.push(at.stack ?? at.message)
  const text = 'Watchword made a mistake. Please report what follows.'
  return { code: ExitCode.bug, text: `${text}\n${sentences(stacks.join('\ncaused by '))}` }
}
