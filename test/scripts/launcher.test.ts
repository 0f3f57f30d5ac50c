import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, packageCopy, start } from './package-copy.ts'

const launcher = join('bin', 'watchword.js')

for (const old of [false, true]) {
  const node = old ? 'a Node that is too old' : 'a Node that will do'

  test(`on ${node}, the program gets its arguments, and its exit code is the launcher's`, async (t) => {
    const cwd = packageCopy(t, { installed: true })
    const { code, stdout } = await start([launcher, 'exit', '7', '--flag', 'a b'], { cwd, old }).ended
    assert.deepEqual(JSON.parse(stdout).args, ['exit', '7', '--flag', 'a b'])
    assert.equal(code, 7)
  })

  test(`on ${node}, SIGTERM reaches the program, which ends by itself`, async (t) => {
    const { child, line, ended } = start([launcher, 'serve'], {
      cwd: packageCopy(t, { installed: true }),
      old,
    })
    const { pid } = JSON.parse(await line)
    assert.equal(pid === child.pid, !old, 'the program runs in the same process where that is possible')
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    assert.equal(code, 0)
    assert.equal(stdout.split('\n').filter((text) => text === 'SIGTERM').length, 1)
  })

  test(`on ${node}, a signal that kills the program is what the launcher dies of`, async (t) => {
    const { signal } = await start([launcher, 'die'], { cwd: packageCopy(t, { installed: true }), old }).ended
    assert.equal(signal, 'SIGKILL')
  })

  test(`on ${node}, missing packages are said with the line to run`, async (t) => {
    const { code, stdout, stderr } = await start([launcher], {
      cwd: packageCopy(t, { installed: false }),
      old,
    }).ended
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 2, stdout: '', stderr: 'Packages are missing. Run: npm ci\n' },
    )
  })
}

test('threads for password hashes are set, unless the operator did', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const usual = await start([launcher], { cwd }).ended
  assert.equal(JSON.parse(usual.stdout).threads, String(Math.min(availableParallelism(), 4)))
  const chosen = await start([launcher], { cwd, env: { UV_THREADPOOL_SIZE: '9' } }).ended
  assert.equal(JSON.parse(chosen.stdout).threads, '9')
})

test('a single package that is missing is named', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const { code, stderr } = await start([launcher, 'import'], { cwd }).ended
  assert.equal(code, 2)
  assert.equal(stderr, 'Package no-such-package is missing. Run: npm ci\n')
})

test('a locked Node that is missing, or too old itself, is said and not run for ever', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const locked = join(cwd, 'node_modules', '.bin', 'node')
  const needed = 'Watchword needs Node 24.15 or newer, and this is 20.20.2.'
  rmSync(locked)
  const missing = await start([launcher], { cwd, old: true }).ended
  assert.equal(missing.stderr, `${needed} The locked one is missing. Run: npm ci\n`)
  assert.equal(missing.code, 2)
  symlinkSync(process.execPath, locked)
  const tooOld = await start([launcher], { cwd, old: true }).ended
  assert.equal(tooOld.stderr, `${needed} Run: npm ci\n`)
  assert.equal(tooOld.code, 2)
})

test('under Passenger, which prepared this very process, no other Node takes over', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const passenger = join('bin', 'passenger.js')
  const { code, stderr } = await start([passenger], { cwd, old: true }).ended
  assert.match(
    stderr,
    /^Watchword needs Node 24\.15 or newer, and this is 20\.20\.2\. The locked one is \S+\./,
  )
  assert.equal(code, 2)
  const child = start([passenger], { cwd })
  assert.equal(JSON.parse(await child.line).pid, child.child.pid)
  child.child.kill('SIGKILL')
})

test('installed as a package of another, the compiled program runs on the packages around it', async (t) => {
  const outer = packageCopy(t, { installed: true })
  const cwd = join(outer, 'node_modules', 'watchword')
  mkdirSync(join(cwd, 'dist'), { recursive: true })
  for (const part of ['bin', 'scripts', 'package.json'])
    cpSync(join(outer, part), join(cwd, part), { recursive: true })
  writeFileSync(join(cwd, 'dist', 'main.js'), 'console.log(process.argv.slice(2).join())')
  for (const old of [false, true]) {
    const { stdout } = await start([launcher, 'a', 'b'], { cwd, old }).ended
    assert.equal(stdout, 'a,b\n')
  }
})

test('compiled code is kept where nobody else can write, or not at all', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const cache = join(cwd, 'node_modules', '.cache', 'watchword')
  await start([launcher], { cwd }).ended
  assert.equal(statSync(cache).mode & 0o777, 0o700)

  rmSync(cache, { recursive: true })
  mkdirSync(cache)
  chmodSync(cache, 0o777)
  const { code } = await start([launcher], { cwd }).ended
  assert.equal(code, 0)
  assert.deepEqual(readdirSync(cache), [])
})

test('npm start serves with further arguments, and installs nothing that is there', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const { child, line, ended } = start(['scripts/start.js', '--port', '1'], { cwd })
  assert.deepEqual(JSON.parse(await line).args, ['serve', '--port', '1'])
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})

for (const state of ['missing', 'others than the locked']) {
  test(`npm start installs packages that are ${state}, then serves`, async (t) => {
    const cwd = packageCopy(t, { installed: state !== 'missing' })
    // What npm would lay down, ready to be moved into place by something that only claims to be npm.
    const ready = join(cwd, 'ready')
    mkdirSync(ready)
    install(ready)
    if (state !== 'missing') {
      const stale = '{ "packages": { "node_modules/a": { "version": "0.9.0" } } }'
      writeFileSync(join(cwd, 'node_modules', '.package-lock.json'), stale)
    }
    const npm = join(cwd, 'npm.cjs')
    writeFileSync(
      npm,
      `const { rmSync, renameSync } = require('node:fs')
       if (process.argv[2] !== 'ci') process.exit(1)
       rmSync('node_modules', { recursive: true, force: true })
       renameSync('ready/node_modules', 'node_modules')`,
    )
    const { child, line, ended } = start(['scripts/start.js'], { cwd, env: { npm_execpath: npm } })
    assert.deepEqual(JSON.parse(await line).args, ['serve'])
    child.kill('SIGTERM')
    const { code, stderr } = await ended
    assert.equal(code, 0)
    assert.equal(stderr, 'Installing the locked packages (npm ci) …\n')
  })
}

test('npm start ends with the code of an install that failed', async (t) => {
  const cwd = packageCopy(t, { installed: false })
  const npm = join(cwd, 'npm.cjs')
  writeFileSync(npm, 'process.exit(3)')
  const { code, stdout } = await start(['scripts/start.js'], { cwd, env: { npm_execpath: npm } }).ended
  assert.deepEqual({ code, stdout }, { code: 3, stdout: '' })
})
