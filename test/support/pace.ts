import { pbkdf2 } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** What the piece of work takes on a quiet core of the machine that limits were set on, in milliseconds. */
const QUIET_MS = 13
/** A machine that is busier than this tells nothing of what runs on it. */
const SLOWEST = 10

/**
 * How many times longer work takes here than on quiet cores: from 1 to 10.
 *
 * By work of a known size, done now, and by how many wanted a core in the last minute, as what was busy may be so no more.
 * For limits in seconds, which are promises for a machine that has the time.
 */
export async function slowness(): Promise<number> {
  const times: number[] = []
  for (let piece = 0; piece < 9; piece++) {
    const began = performance.now()
    await derive('piece', 'of work', 30_000, 32, 'sha512')
    times.push(performance.now() - began)
  }
  const median = times.toSorted((a, b) => a - b)[4] ?? 0
  const [wanting = 0] = loadavg()
  return Math.min(SLOWEST, Math.max(1, median / QUIET_MS, wanting / availableParallelism()))
}

/** Whether something took no longer than it may on quiet cores; where it did, the machine is looked at before it is blamed. */
export async function isInTime(took: number, limit: number): Promise<boolean> {
  return took <= limit || took <= limit * (await slowness())
}
