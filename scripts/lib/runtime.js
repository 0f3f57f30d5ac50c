import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import * as module from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Plain JavaScript that Node 20 runs, without packages: it starts the Node that runs all else.

/** Folder of the package. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Flags that Watchword runs Node with, at the cost of an execve, about 20 ms a start. The space for young objects is
 * held to 2 MiB each half: some 20 MiB less under load than Node's own limit, as fast.
 *
 * @type {readonly string[]}
 */
export const nodeFlags = ['--max-semi-space-size=2']

/**
 * Variables that are set before the program begins, unless they are set already.
 *
 * libuv reads UV_THREADPOOL_SIZE when work first goes to its pool. As many threads as password hashes are computed at
 * once by default; `serve` sets it to what the settings say. With MALLOC_ARENA_MAX the threads share one heap of the C
 * library, which takes 5 to 8 MiB less.
 */
export const environment = {
  UV_THREADPOOL_SIZE: String(Math.min(availableParallelism(), 4)),
  MALLOC_ARENA_MAX: '1',
}

/** The oldest Node that runs the program: major and minor version. */
const oldestNode = /** @type {const} */ ([24, 15])

/**
 * Runs the program with these arguments: in this process if its Node will do, else on the locked Node.
 *
 * When packages are missing it says so and exits 2. `replaced` tells that packages were just installed, so that the
 * running Node may be one that is no more; `stays` that it has to be this process, whatever flags its Node was given.
 *
 * @param {readonly string[]} args
 * @param {{ replaced?: boolean, stays?: boolean }} [options]
 */
export async function launch(args, { replaced = false, stays = false } = {}) {
  const arePlaced = isDependency() || existsSync(join(root, 'node_modules', '.package-lock.json'))
  if (!arePlaced) refuse('Packages are missing.')
  const runsHere = isNewEnough(process.versions.node)
  if (runsHere && !replaced && (stays || hasFlags())) return runHere(args)

  const node = findLockedNode() ?? (runsHere ? process.execPath : undefined)
  const needed = `Watchword needs Node ${oldestNode.join('.')} or newer, and this is ${process.versions.node}.`
  if (node === undefined) refuse(`${needed} The locked one is missing.`)
  if (stays) refuse(`${needed} The locked one is ${node}.`)
  // A locked Node that is too old itself would start itself for ever.
  if (!runsHere && realpathSync(node) === realpathSync(process.execPath)) refuse(needed)
  await runOn(node, args)
}

/**
 * The Node that the lock file pins, if it is installed.
 *
 * @returns {string | undefined}
 */
export function findLockedNode() {
  const path = join(packageFolder(), '.bin', 'node')
  return existsSync(path) ? path : undefined
}

/**
 * Folder for compiled code, of which nobody else may write a byte: what lies there is run.
 *
 * @returns {string | undefined} nothing if there is no such folder, and the program starts somewhat slower
 */
export function compileCacheFolder() {
  const folder = join(packageFolder(), '.cache', 'watchword')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(folder)
    const owner = process.getuid?.()
    if (owner !== undefined && ((uid !== owner && uid !== 0) || (mode & 0o022) !== 0)) return undefined
    return folder
  } catch {
    // A read-only or foreign folder is usual for a service. Without the cache all works, from source.
    return undefined
  }
}

/** Whether we are somebody's package: npm has then seen to our packages, beside us or within. */
function isDependency() {
  return basename(dirname(root)) === 'node_modules'
}

/** The `node_modules` that hold our packages: our own, or the one we are installed in. */
function packageFolder() {
  const own = join(root, 'node_modules')
  return isDependency() && !existsSync(own) ? dirname(root) : own
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

/** Whether this process has the flags, which cannot be given to it any more. */
function hasFlags() {
  return nodeFlags.every((flag) => process.execArgv.includes(flag))
}

/** @param {readonly string[]} args */
async function runHere(args) {
  for (const [name, value] of Object.entries(environment)) process.env[name] ??= value
  const cache = compileCacheFolder()
  if (cache !== undefined) module.enableCompileCache(cache)

  const source = join(root, 'src', 'main.ts')
  const main = existsSync(source) ? source : join(root, 'dist', 'main.js')
  process.argv = [process.execPath, main, ...args]
  try {
    await import(pathToFileURL(main).href)
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    const [, name] = (isMissing && /Cannot find package '([^']+)'/.exec(error.message)) || []
    if (name === undefined) throw error
    refuse(`Package ${name} is missing.`)
  }
}

/**
 * @param {string} node
 * @param {readonly string[]} args
 */
async function runOn(node, args) {
  const argv = [...nodeFlags, join(root, 'bin', 'watchword.js'), ...args]
  const env = { ...environment, ...process.env }
  // The same process goes on as the other Node: nothing is left that signals would have to pass through.
  if (process.execve) process.execve(node, [node, ...argv], /** @type {NodeJS.ProcessEnv} */ (env))
  const { run } = await import('./run.js')
  const { code, signal } = await run(node, argv, { env })
  if (signal === null) process.exit(code)
  process.kill(process.pid, signal)
}

/**
 * @param {string} why
 * @returns {never}
 */
function refuse(why) {
  process.stderr.write(`${why} Run: npm ci\n`)
  process.exit(2)
}
