/** Transactions that are written to disk by one commit; each is a savepoint and can fail alone. */
export interface CommitGroup {
  /** Whether its commit leaves the wait for the disk to a later one. */
  readonly syncsLater: boolean
  readonly done: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** A group that nobody has committed yet. */
export function commitGroup(syncsLater: boolean): CommitGroup {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A group whose members all rolled back has nobody to tell of a failed commit.
  promise.catch(() => undefined)
  return { syncsLater, done: promise, resolve, reject }
}
