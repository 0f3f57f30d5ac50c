import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** The file with the secret of proxies is readable by others, or holds none. */
export class CallerSecretError extends Error {
  override readonly name = 'CallerSecretError'
}

/** Reads the secret by which a proxy shows that it is the one who asks, and makes it where there is none yet. */
export function readCallerSecret(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) create(path)
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new CallerSecretError(`${path} may be read by others than its owner. Run: chmod 600 ${path}`)
  }
  const secret = readFileSync(path, 'utf8').trim()
  // What Apache's configuration can hold without any escaping, and long enough that nobody guesses it.
  if (!/^[A-Za-z0-9_-]{22,200}$/.test(secret)) {
    throw new CallerSecretError(
      `${path} holds no secret. Remove it, start again, and give it to the proxy anew (docs/apache.md, docs/proxies.md).`,
    )
  }
  return secret
}

/** Whole under another name first, so that of two starts at once both read the same. */
function create(path: string): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const next = `${path}.${process.pid}.new`
  rmSync(next, { force: true })
  const descriptor = openSync(next, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(32).toString('base64url')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    // Root may install Apache's files before the server of another user has ever started.
    const { uid, gid } = statSync(folder)
    if (process.getuid?.() === 0) chownSync(next, uid, gid)
    linkSync(next, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(next, { force: true })
  }
}
