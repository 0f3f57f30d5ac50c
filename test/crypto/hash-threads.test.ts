import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const module = new URL('../../src/crypto/hash-threads.ts', import.meta.url)

/** Says, of a process of its own, the niceness of each thread by its name. */
const program = `
  const { lowerHashThreads } = await import(${JSON.stringify(module.href)})
  const { readdirSync, readFileSync } = await import('node:fs')
  const { getPriority } = await import('node:os')
  await lowerHashThreads()
  const threads = readdirSync('/proc/self/task').map((id) => [
    readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim(), Number(id) === process.pid, getPriority(Number(id)),
  ])
  console.log(JSON.stringify(threads))
`

it('threads that hash give way to the thread that answers, and no other thread does', async () => {
  const env = { PATH: process.env.PATH ?? '', UV_THREADPOOL_SIZE: '2' }
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { env })
  const threads = JSON.parse(stdout) as [name: string, isMain: boolean, niceness: number][]
  const pool = threads.filter(([name]) => name === 'libuv-worker')
  assert.deepEqual(
    pool.map(([, , niceness]) => niceness),
    [10, 10],
  )
  assert.ok(threads.filter(([name]) => name !== 'libuv-worker').every(([, , niceness]) => niceness === 0))
})
