import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { environment } from '../support/watchword.ts'

const launcher = join(import.meta.dirname, '../../bin/watchword.js')

it('goes on serving while its log cannot be written (FT-DISK-1)', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-full-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  // Each write to it is refused as on a disk without space.
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [launcher, 'serve'], {
    cwd: folder,
    env: environment(folder, {
      WATCHWORD_LISTEN: '127.0.0.1:0',
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      WATCHWORD_AUTHORIZER_LISTEN: '127.0.0.1:0',
    }),
    stdio: ['ignore', 'pipe', full],
  })
  closeSync(full)
  const { stdout } = child
  assert.ok(stdout !== null)
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const [, found] = /is ready at (.*)$/.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
    exited.then(() => reject(new Error('It ended before it was ready.')))
  })
  // By now it has logged that the authorizer is ready.
  for (let asked = 0; asked < 5; asked++) assert.equal((await fetch(`${address}/readyz`)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
})
