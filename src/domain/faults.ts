/** The database did not do what it was asked: unreachable, full, locked too long, damaged. Nothing was stored. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault'
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
