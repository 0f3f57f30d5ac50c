/** The database did not do what it was asked: unreachable, full, locked too long, damaged. Nothing was stored. */
export class StorageFault extends Error {
  override readonly name: string = 'StorageFault'
}

/**
 * The storage was lost while a transaction was being stored, or before what it gave was told: it is stored wholly or not
 * at all, and whoever asked does not know.
 *
 * Never to be tried again: a code that it spent would be taken for a repeated one, and one that it did not for a new one.
 */
export class UncertainCommit extends StorageFault {
  override readonly name = 'UncertainCommit'
}

/** The turn to hash a password did not come within the deadline; the caller is told to come again. */
export class HashQueueTimeout extends Error {
  override readonly name = 'HashQueueTimeout'
}

/** The storage fault that an error of a database engine is. */
export function storageFault(cause: unknown): StorageFault {
  if (cause instanceof StorageFault) return cause
  return new StorageFault(cause instanceof Error ? cause.message : 'The database failed.', { cause })
}
