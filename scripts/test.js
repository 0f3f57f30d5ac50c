import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDebianPackages } from './lib/debian.js'
import { runTests } from './lib/node-test.js'
import { ensurePackages } from './lib/packages.js'
import { run } from './lib/run.js'
import { findLockedNode, root } from './lib/runtime.js'

// npm test: installs what tests need, then static checks and all tests but the long ones, or those that are named.
// npm run test:long: the long ones alone.
await ensurePackages({ forTests: true })
await ensureDebianPackages()
const node = findLockedNode() ?? process.execPath
process.chdir(root)

const args = process.argv.slice(2)
const namesTests = args.some((arg) => !arg.startsWith('-') && (existsSync(arg) || arg.includes('*')))
const staticChecks = await run(node, [join('scripts', 'check.js'), '--static'])
const tests = await runTests(node, namesTests ? args : [...args, ...withoutLongOnes()])

const staticFailures = staticChecks.code === 0 ? 0 : 1
if (staticFailures > 0) console.log('\nThe static checks failed, see above: counted as one failure.')
if (tests.passed + tests.failed === 0) console.log('\nNo tests ran: that is a failure.')
console.log(`${tests.passed} passed, ${tests.failed + staticFailures} failed`)
process.exitCode = tests.ok && staticFailures === 0 ? 0 : 1

/** What is in `test`, but for the folder of the long ones. */
function withoutLongOnes() {
  const entries = readdirSync('test', { withFileTypes: true })
  return entries
    .filter((entry) => (entry.isDirectory() ? entry.name !== 'long' : entry.name.endsWith('.test.ts')))
    .map(({ name }) => join('test', name))
}
