import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findLockedNode, root } from './runtime.js'

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, dev?: boolean, devOptional?: boolean }} Entry
 * @typedef {Record<string, Entry>} Entries a lock file's packages by their folder
 */

/**
 * Installs the locked packages if what is installed is not what the lock file says.
 *
 * Exits with npm's code if that fails.
 *
 * @param {{ forTests: boolean }} purpose whether packages that only development needs count
 * @returns {Promise<boolean>} whether something was installed
 */
export async function ensurePackages({ forTests }) {
  const locked = readEntries(join(root, 'package-lock.json'))
  const installed = readEntries(join(root, 'node_modules', '.package-lock.json'))
  if (locked === undefined) return false
  if (installed !== undefined && findLockedNode() !== undefined && fits(installed, locked, forTests))
    return false

  process.stderr.write('Installing the locked packages (npm ci) …\n')
  const { spawnSync } = await import('node:child_process')
  const options = ['ci', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const { npm_execpath: npm } = process.env
  const [file, ...args] = npm ? [process.execPath, npm, ...options] : ['npm', ...options]
  const ended = spawnSync(file, forTests ? [...args, '--include=dev'] : args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (ended.error) process.stderr.write(`npm cannot be run: ${ended.error.message}\n`)
  if (ended.status !== 0) process.exit(ended.status ?? 1)
  return true
}

/**
 * Compares contents, not times: a checkout or a copy of the folder changes times at will.
 *
 * @param {Entries} installed
 * @param {Entries} locked
 * @param {boolean} forTests
 */
function fits(installed, locked, forTests) {
  return Object.entries(locked).every(([folder, entry]) => {
    if (folder === '') return true
    const present = installed[folder]
    if (present) return present.version === entry.version && present.integrity === entry.integrity
    // Optional packages are for other machines; npm leaves them out.
    return entry.optional || entry.devOptional || (entry.dev && !forTests)
  })
}

/**
 * @param {string} path
 * @returns {Entries | undefined} nothing if there is no such file, or not a whole one
 */
function readEntries(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    // Absent or cut short by an install that was broken off: either way to be installed.
    return undefined
  }
}
