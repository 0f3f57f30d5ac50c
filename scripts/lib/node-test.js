import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.js'
import { compileCacheFolder } from './runtime.js'

/**
 * Runs tests, and shows what Node says of them.
 *
 * @param {string} node
 * @param {readonly string[]} args files, folders, and flags of node --test
 * @returns {Promise<{ passed: number, failed: number, ok: boolean }>} `ok` also tells that there were any tests
 */
export async function runTests(node, args) {
  const folder = mkdtempSync(join(tmpdir(), 'watchword-test-'))
  const counts = join(folder, 'counts.json')
  const cache = compileCacheFolder()
  const reporter = new URL('./count-reporter.js', import.meta.url).href
  try {
    const { code } = await run(
      node,
      [
        '--test',
        '--test-concurrency=2',
        // Names a test that hangs, in place of CI's own limit, which would name none.
        '--test-timeout=1800000',
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${reporter}`,
        `--test-reporter-destination=${counts}`,
        ...args.map(expandFolder),
      ],
      { env: cache === undefined ? process.env : { NODE_COMPILE_CACHE: cache, ...process.env } },
    )
    // Without a count Node did not come to the end: that is a failure, if not of a test.
    const text = existsSync(counts) ? readFileSync(counts, 'utf8') : ''
    const { passed, failed } = text === '' ? { passed: 0, failed: 1 } : JSON.parse(text)
    return { passed, failed, ok: code === 0 && failed === 0 && passed > 0 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * node --test takes files and patterns, not folders.
 *
 * @param {string} arg
 */
function expandFolder(arg) {
  return statSync(arg, { throwIfNoEntry: false })?.isDirectory() ? join(arg, '**', '*.test.ts') : arg
}
