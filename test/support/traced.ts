import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What a program did to its SQLite log and told its clients, in order: written to the log, log on disk, answered. */
export type DiskEvent = 'log' | 'sync' | { readonly answer: number }

/** Watches the calls of a process from now on; `end` gives what it did meanwhile. */
export async function traceDisk(pid: number, log: string): Promise<{ end(): Promise<DiskEvent[]> }> {
  const calls = 'trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg'
  const strace = spawn('strace', ['-f', '-y', '-o', log, '-e', calls, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(strace, 'exit')
  let said = ''
  for await (const chunk of strace.stderr) {
    said += chunk
    if (/attached/.test(said)) break
  }
  if (!/attached/.test(said)) throw new Error(`strace could not attach: ${said}`)
  return {
    async end() {
      strace.kill('SIGINT')
      await ended
      return readFileSync(log, 'utf8').split('\n').flatMap(eventOf)
    },
  }
}

/** A call counts where it begins; another thread may do something before it ends. */
function eventOf(line: string): DiskEvent[] {
  const [, call = '', file = '', rest = ''] = /^\d+ +(\w+)\(\d+<([^>]*)>(.*)$/.exec(line) ?? []
  const isLog = file.endsWith('-wal')
  if (isLog && call === 'pwrite64') return ['log']
  if (isLog && call.endsWith('sync')) return ['sync']
  const [, status] = /HTTP\/1\.1 (\d{3})/.exec(rest) ?? []
  return status === undefined ? [] : [{ answer: Number(status) }]
}
