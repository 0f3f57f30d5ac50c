/** The mask of the primary while it makes a socket for workers: nobody may connect until a worker has set the mode. */
export interface SocketMask {
  /** Puts it on for somebody who is about to have the socket opened. */
  put(opener: object): void
  /** Takes it off once the last of those has opened it, or is gone. */
  lift(opener: object): void
  /** Does the work without it: a process that is forked meanwhile has the mask that we began with. */
  without<Result>(work: () => Result): Result
}

export function socketMask(): SocketMask {
  const openers = new Set<object>()
  let usual: number | undefined
  return {
    put(opener) {
      if (openers.size === 0) usual = process.umask(0o777)
      openers.add(opener)
    },
    lift(opener) {
      if (openers.delete(opener) && openers.size === 0 && usual !== undefined) process.umask(usual)
    },
    without(work) {
      if (openers.size === 0 || usual === undefined) return work()
      const hiding = process.umask(usual)
      try {
        return work()
      } finally {
        process.umask(hiding)
      }
    },
  }
}
