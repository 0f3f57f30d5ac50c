import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('writes-in-turn.ts', import.meta.url))

// Linux tells of a sync that failed once and takes what it was to store for stored: whoever syncs again syncs nothing of it.
test('what a failed sync was to store is stored anew before anybody is told that something is (SEC-DB-1, FT-IO-1)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-sync-'))
  const trace = join(folder, 'trace')
  const child = spawn(process.execPath, [program, join(folder, 'a.db')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const said = async () => (await lines.next()).value
    assert.equal(await said(), 'without waiting: stored')
    const calls = 'fsync,fdatasync'
    const strace = spawn(
      'strace',
      [
        ...['-f', '-y', '-o', trace, '-e', `trace=pwrite64,write,${calls}`],
        ...['-e', `inject=${calls}:error=EIO:when=1`, '-p', String(child.pid)],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const ended = once(strace, 'exit')
    // Read to its end: strace dies of a pipe that nobody reads.
    await new Promise<void>((resolve, reject) => {
      strace.stderr.on('data', (text) => /attached/.test(String(text)) && resolve())
      ended.then(() => reject(new Error('strace ended')), reject)
    })
    child.stdin.write('\n')
    assert.equal(await said(), 'waiting: failed')
    assert.equal(await said(), 'waiting again: stored')
    strace.kill('SIGINT')
    await ended
    const [, since = ''] = readFileSync(trace, 'utf8').split('(INJECTED)')
    const [before = ''] = since.split('waiting again: stored')
    // The file has what the log had, and the log begins anew.
    assert.match(before, /pwrite64\(\d+<[^>]*a\.db>[\s\S]*f(?:data)?sync\(\d+<[^>]*a\.db>\) += 0/)
    assert.match(
      before,
      /pwrite64\(\d+<[^>]*a\.db-wal>[^\n]*, 32, 0\) = 32[\s\S]*f(?:data)?sync\(\d+<[^>]*a\.db-wal>\) += 0/,
    )
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})
