import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
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
  const target = withoutBlocking()
  let waiting: Buffer[] = []
  let length = 0
  let isWriting = false

  const next = (): void => {
    if (isWriting || length === 0) return
    isWriting = true
    const all = Buffer.concat(waiting)
    waiting = [all]
    write(target, all, (error, written) => {
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
      if (length > 0) writeSync(target, Buffer.concat(waiting))
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

/**
 * Standard error so that a reader who stopped reading holds up neither a thread nor the end of the process.
 *
 * A pipe that is opened once more is told so for us alone; set on what we were given it would hold for whoever shares it. Linux
 * opens it by this name; a socket it does not, nor the pipe of another user.
 */
function withoutBlocking(): number {
  try {
    if (!fstatSync(STANDARD_ERROR).isFIFO()) return STANDARD_ERROR
    return openSync(`/proc/self/fd/${STANDARD_ERROR}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    // As it is: what waits too long there is lost no more than before.
    return STANDARD_ERROR
  }
}
