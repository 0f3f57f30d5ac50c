import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it, type TestContext } from 'node:test'
import { environment } from '../support/watchword.ts'

const launcher = join(import.meta.dirname, '../../bin/watchword.js')

it('goes on serving while its log cannot be written (FT-DISK-1)', { timeout: 300_000 }, async (t) => {
  // Each write to it is refused as on a disk without space.
  await serveAndStop(t, folderOf(t), openSync('/dev/full', 'w'))
})

it('serves, and ends, while nobody reads the pipe of its log', { timeout: 300_000 }, async (t) => {
  const folder = folderOf(t)
  const path = join(folder, 'log')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.after(() => closeSync(reader))
  // From the first line on there is no room for one.
  assert.throws(
    () => {
      for (;;) writeSync(reader, Buffer.alloc(4096))
    },
    { code: 'EAGAIN' },
  )
  const writer = openSync(path, 'w')
  // A program that shares the pipe sets it back as it found it when it ends: whoever writes then has to wait.
  const other = spawn(process.execPath, ['-e', 'console.log("here"); process.stdin.resume()'], {
    stdio: ['pipe', 'pipe', writer],
  })
  t.after(() => other.kill('SIGKILL'))
  const { stdin, stdout } = other
  assert.ok(stdin !== null && stdout !== null)
  await once(stdout, 'data')
  await serveAndStop(t, folder, writer, async () => {
    stdin.end()
    await once(other, 'exit')
  })
})

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ww-full-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts the program with this as standard error, asks whether it is ready, and has it end. */
async function serveAndStop(
  t: TestContext,
  folder: string,
  standardError: number,
  meanwhile = async () => {},
): Promise<void> {
  const child = spawn(process.execPath, [launcher, 'serve'], {
    cwd: folder,
    env: environment(folder, {
      WATCHWORD_LISTEN: '127.0.0.1:0',
      WATCHWORD_ORIGIN: 'https://auth.example.com',
      WATCHWORD_AUTHORIZER_LISTEN: '127.0.0.1:0',
    }),
    stdio: ['ignore', 'pipe', standardError],
  })
  closeSync(standardError)
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
  await meanwhile()
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
}
