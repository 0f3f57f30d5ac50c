import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file system in memory that can be filled up. */
export interface SmallDisk {
  readonly folder: string
  /** Takes all space but so many bytes, in whole blocks. */
  fill(left: number): void
  /** Gives the space back. */
  empty(): void
  /** How many bytes are free. */
  free(): number
  remove(): void
}

/** Mounts one of so many MiB, as root; it goes with this process at the latest, however this process ends. */
export function smallDisk(folder: string, mebibytes: number): SmallDisk {
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', folder])
  chmodSync(folder, 0o700)
  const ballast = join(folder, 'ballast')
  let isThere = true
  const remove = () => {
    if (!isThere) return
    isThere = false
    execFileSync('umount', ['--lazy', folder])
  }
  process.once('exit', remove)
  // Whoever is killed runs no clean-up: their pipe ends.
  const guard = spawn('sh', ['-c', 'cat; umount --lazy "$0"', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  const free = () => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  return {
    folder,
    free,
    fill(left) {
      rmSync(ballast, { force: true })
      try {
        writeFileSync(ballast, Buffer.alloc(Math.max(0, free() - left)))
      } catch (error) {
        // Somebody took a part meanwhile: then it is full as well.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    remove() {
      process.off('exit', remove)
      remove()
      guard.stdin.end()
    },
  }
}
