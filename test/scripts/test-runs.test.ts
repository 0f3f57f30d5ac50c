import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { packageCopy, start } from './package-copy.ts'

/** What `runTests` says of a folder with these test files. */
async function countsOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<unknown> {
  const cwd = packageCopy(t, { installed: true })
  mkdirSync(join(cwd, 'test', 'inner'), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(cwd, 'test', 'inner', name), `import test from 'node:test'\n${text}`)
  }
  const script = `
    import { runTests } from './scripts/lib/node-test.js'
    console.log('\\n' + JSON.stringify(await runTests(process.execPath, ['test'])))`
  const { stdout } = await start(['--input-type=module', '--eval', script], { cwd }).ended
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

test('tests are counted over all files, those in suites too', async (t) => {
  const counts = await countsOf(t, {
    'a.test.ts': `test('a', () => {}); test('b', () => {})`,
    'b.test.ts': `test.suite('s', () => { test('c', () => {}); test.skip('d', () => {}) })`,
    'not-a-test.ts': `test('e', () => { throw new Error() })`,
  })
  assert.deepEqual(counts, { passed: 3, failed: 0, ok: true })
})

test('a test that fails and a file that cannot be read are failures', async (t) => {
  const counts = await countsOf(t, {
    'a.test.ts': `test('a', () => {}); test('b', () => { throw new Error('no') })`,
    'b.test.ts': 'const = 1',
  })
  assert.deepEqual(counts, { passed: 1, failed: 2, ok: false })
})

test('no tests at all are a failure', async (t) => {
  assert.deepEqual(await countsOf(t, {}), { passed: 0, failed: 0, ok: false })
})

test('Debian packages that are missing are named with the line to run, if one may not install them', async (t) => {
  const cwd = packageCopy(t, { installed: true })
  const script = `
    import { ensureDebianPackages } from './scripts/lib/debian.js'
    process.getuid = () => 1000
    await ensureDebianPackages({ coreutils: 'ls', 'some-package': 'no-such-program' })`
  const { code, stderr } = await start(['--input-type=module', '--eval', script], { cwd }).ended
  assert.equal(code, 1)
  assert.equal(
    stderr,
    'The tests need some-package. Run:\n' +
      "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends some-package'\n",
  )
})
