import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runTests } from './lib/node-test.js'
import { runQuietly } from './lib/run.js'
import { findLockedNode, root } from './lib/runtime.js'

// npm run check: what one wants to know before every commit, in seconds. With --static, types and lint alone.
const quickTests = ['test/domain', 'test/config', 'test/architecture.test.ts', 'test/store', 'test/actions']

process.chdir(root)
const node = findLockedNode() ?? process.execPath
const bin = join(root, 'node_modules', '.bin')
if (!existsSync(join(bin, 'tsc'))) {
  console.error('Packages are missing. Run: npm ci')
  process.exit(2)
}

const results = await Promise.all([check('tsc', ['-p', '.']), check('biome', ['check', '.'])])
let ok = results.every(Boolean)
if (!process.argv.includes('--static')) {
  const tests = await runTests(
    node,
    quickTests.filter((path) => existsSync(path)),
  )
  ok &&= tests.ok
}
process.exitCode = ok ? 0 : 1

/**
 * Runs a tool, and says only how it ended unless it complains.
 *
 * @param {string} tool
 * @param {readonly string[]} args
 */
async function check(tool, args) {
  const started = performance.now()
  const { code, output } = await runQuietly(node, [join(bin, tool), ...args])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (code !== 0) process.stdout.write(output)
  console.log(`${code === 0 ? '✔' : '✖'} ${tool} (${seconds} s)`)
  return code === 0
}
