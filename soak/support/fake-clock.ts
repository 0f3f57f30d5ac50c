import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianPackages } from '../../scripts/lib/debian.js'

/** A clock that server processes take for the machine's, and that can be set while they run. */
export interface FakeClock {
  /** Variables for the processes. */
  readonly env: Readonly<Record<string, string>>
  now(): number
  /** Seconds that it is ahead of the machine's. */
  readonly ahead: number
  /** Sets it; it goes on from there. */
  set(ahead: number): void
}

/** Debian's libfaketime, which looks at a file for each question; timers go by another clock and are left alone. */
export function fakeClock(folder: string): FakeClock {
  const { libfaketime } = debianPackages
  if (libfaketime === undefined) throw new Error('libfaketime is no package of the tests.')
  const file = join(folder, 'clock')
  let ahead = 0
  const write = () => {
    // Never half a file.
    writeFileSync(`${file}.new`, `${ahead < 0 ? '' : '+'}${ahead}\n`)
    renameSync(`${file}.new`, file)
  }
  write()
  return {
    env: {
      LD_PRELOAD: libfaketime,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    now: () => Math.floor(Date.now() / 1000) + ahead,
    get ahead() {
      return ahead
    },
    set(to) {
      ahead = to
      write()
    },
  }
}

/** Removes what libfaketime keeps in memory for a process, which one that was killed leaves behind. */
export function forgetClockOf(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
    rmSync(join('/dev/shm', name), { force: true })
}
