import { write, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

const STANDARD_ERROR = 2

/** Bytes of lines that wait while nothing can be written; whole lines beyond are lost. */
const WAITING_MAXIMUM = 1024 * 1024

/** How long to wait before what could not be written is tried again, in milliseconds. */
const AGAIN_MS = 100

/**
 * Standard error for a log that must neither hold up nor end the server.
 *
 * Lines are written together, away from the event loop. While they cannot be, say on a full disk, they wait, bounded, and
 * go on by themselves. pino's own destination throws then, and at the end of the process tries for ever.
 */
export function standardError(): DestinationStream {
  let waiting: Buffer[] = []
  let length = 0
  let isWriting = false

  const next = (): void => {
    if (isWriting || length === 0) return
    isWriting = true
    const all = Buffer.concat(waiting)
    waiting = [all]
    write(STANDARD_ERROR, all, (error, written) => {
      isWriting = false
      if (error) return void setTimeout(next, AGAIN_MS).unref()
      length -= written
      const [, ...since] = waiting
      waiting = written < all.length ? [all.subarray(written), ...since] : since
      next()
    })
  }
  process.once('exit', () => {
    // What a write under way has not reported yet may come twice; nothing comes short.
    try {
      if (length > 0) writeSync(STANDARD_ERROR, Buffer.concat(waiting))
    } catch {
      // Nobody is left to be told, and an end must not wait for a disk.
    }
  })
  return {
    write(line) {
      const bytes = Buffer.from(line)
      if (length + bytes.length > WAITING_MAXIMUM) return
      waiting.push(bytes)
      length += bytes.length
      next()
    },
  }
}
