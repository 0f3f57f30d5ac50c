import { readdirSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setPriority } from 'node:os'

/** Niceness of threads that hash: enough for the thread that answers to go first whenever it has work. */
const NICENESS = 10

/**
 * Lets the threads of the pool, which hash passwords, give way to the one that answers requests.
 *
 * With every core busy hashing, the answering thread would else wait a slice of the scheduler after each commit,
 * and session checks with it. On Linux only, where a thread has a priority of its own; elsewhere, and where it is not
 * allowed, all goes on as before.
 */
export async function lowerHashThreads(): Promise<void> {
  if (process.platform !== 'linux') return
  // The first work starts every thread of the pool.
  await stat('/')
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim()
      if (name === 'libuv-worker') setPriority(Number(thread), NICENESS)
    } catch {
      // A thread that ended meanwhile, or a system that forbids it: slower under load, and nothing else.
    }
  }
}
