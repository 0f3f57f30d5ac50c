import { readdirSync } from 'node:fs'
import { residentMebibytes } from '../../bench/support/processes.ts'
import { slowness } from '../../test/support/pace.ts'

/** What a process holds at this moment. */
export interface Holding {
  readonly residentMib: number
  readonly descriptors: number
}

export const holdingOf = (pid: number): Holding => ({
  residentMib: residentMebibytes(pid),
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
})

/** Waits until a condition holds, and looks often; `false` when so many milliseconds did not bring it. */
export async function until(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; ; ) {
    if (await condition()) return true
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** As `until`, for a limit that is meant for quiet cores: where it is over, for as much longer as work takes longer now. */
export async function untilInTime(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  return (await until(condition, ms)) || until(condition, ms * ((await slowness()) - 1))
}
