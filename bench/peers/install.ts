import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/lib/runtime.js'

const from = join(root, 'bench', 'peers')

/** The packages of the peers could not be installed; the message says why. */
export class PeersMissing extends Error {
  override readonly name = 'PeersMissing'
}

/**
 * The folder in which the peers run, with their packages as the lock file names them.
 *
 * @throws PeersMissing where npm cannot get them, as without a network.
 */
export function installPeers(): string {
  const folder = join(root, 'bench', 'results', 'peers')
  mkdirSync(folder, { recursive: true })
  const lock = readFileSync(join(from, 'package-lock.json'), 'utf8')
  const installed = join(folder, 'node_modules', 'installed-by-lock.json')
  for (const name of ['package.json', 'package-lock.json', 'better-auth.js']) {
    copyFileSync(join(from, name), join(folder, name))
  }
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lock) return folder
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', '--loglevel=error']
  const { status, stderr, error } = spawnSync('npm', ['ci', ...flags], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status !== 0) {
    const why = error?.message ?? stderr.split('\n').find((line) => line.startsWith('npm error')) ?? ''
    throw new PeersMissing(`The packages of the peers could not be installed: ${why}`)
  }
  writeFileSync(installed, lock)
  return folder
}
