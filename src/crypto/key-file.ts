import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The server's keys; kept in one file apart from the database, readable by its owner alone. */
export interface KeyFile {
  readonly path: string
  /** Identifies the version of the file that was read, so that a change can be noticed. */
  readonly version: string
  readonly currentKeyId: string
  /** 32-byte sealing keys by id. */
  readonly keys: ReadonlyMap<string, Uint8Array>
  /** Key of the keyed hashes of names; never rotated, because counters are found by them. */
  readonly nameKey: Uint8Array
}

/** The key file is missing, unreadable by us, readable by others, or not a key file. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
}

interface KeyFileJson {
  readonly format: 'watchword-keys-1'
  readonly current: string
  readonly keys: Readonly<Record<string, string>>
  readonly name_key: string
}

/** Reads the key file, or gives `undefined` when there is none. Refuses one that group or others may read. */
export function readKeyFile(path: string): KeyFile | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) {
    throw new KeyFileError(`${path} may be read by others than its owner. Run: chmod 600 ${path}`)
  }
  return parse(path, readText(path), `${stat.ino}:${stat.mtimeMs}:${stat.size}`)
}

/** Makes a key file with one new key, or reads the one that another start has made meanwhile; replaces none. */
export function createKeyFile(path: string): KeyFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const id = newKeyId()
  const json = { current: id, keys: { [id]: newKey() }, name_key: newKey() }
  // Whole under another name first: a start that is killed half-way leaves no damaged file in the way of the next.
  const next = `${path}.${process.pid}.new`
  rmSync(next, { force: true })
  try {
    writeExclusive(next, { format: 'watchword-keys-1', ...json })
    linkSync(next, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(next, { force: true })
  }
  syncFolder(dirname(path))
  return readBack(path)
}

/** The whole file as text, for a copy that is sealed otherwise. */
export function keyFileText({ currentKeyId, nameKey, ...file }: KeyFile): string {
  const name_key = Buffer.from(nameKey).toString('base64')
  const json: KeyFileJson = {
    format: 'watchword-keys-1',
    current: currentKeyId,
    keys: encoded(file),
    name_key,
  }
  return JSON.stringify(json)
}

/** The keys of a text that `keyFileText` gave; nothing is written. */
export function keyFileFrom(path: string, text: string): KeyFile {
  return parse(path, text, '')
}

/** Writes keys that were kept elsewhere to their path; replaces no file that is there. */
export function placeKeyFile(file: KeyFile): KeyFile {
  mkdirSync(dirname(file.path), { recursive: true, mode: 0o700 })
  const next = `${file.path}.${process.pid}.new`
  rmSync(next, { force: true })
  try {
    writeExclusive(next, JSON.parse(keyFileText(file)) as KeyFileJson)
    keepOwner(dirname(file.path), next)
    linkSync(next, file.path)
  } finally {
    rmSync(next, { force: true })
  }
  syncFolder(dirname(file.path))
  return readBack(file.path)
}

/** Adds a new key and makes it the current one; older keys stay, to open what they sealed. */
export function addKey(file: KeyFile): KeyFile {
  const id = newKeyId()
  return replace(file, { current: id, keys: { ...encoded(file), [id]: newKey() } })
}

/** Removes keys that nothing is sealed by any more; the current one stays. */
export function removeKeys(file: KeyFile, ids: readonly string[]): KeyFile {
  const keys = Object.fromEntries(
    Object.entries(encoded(file)).filter(([id]) => id === file.currentKeyId || !ids.includes(id)),
  )
  return replace(file, { current: file.currentKeyId, keys })
}

function replace(file: KeyFile, change: Pick<KeyFileJson, 'current' | 'keys'>): KeyFile {
  const next = `${file.path}.${process.pid}.new`
  removeUnfinished(file.path)
  const name_key = Buffer.from(file.nameKey).toString('base64')
  writeExclusive(next, { format: 'watchword-keys-1', ...change, name_key })
  keepOwner(file.path, next)
  renameSync(next, file.path)
  syncFolder(dirname(file.path))
  return readBack(file.path)
}

/** What killed rotations left behind is no key file yet, and would keep keys that are removed. */
function removeUnfinished(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const rest = name.startsWith(`${basename(path)}.`) ? name.slice(basename(path).length) : ''
    if (/^\.\d+\.new$/.test(rest)) rmSync(join(dirname(path), name), { force: true })
  }
}

/** Root may rotate or restore the keys of a server that runs as another user, and must not lock it out. */
function keepOwner(from: string, to: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(from)
  chownSync(to, uid, gid)
}

function writeExclusive(path: string, json: KeyFileJson): void {
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(json, undefined, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  syncFolder(dirname(path))
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function readBack(path: string): KeyFile {
  const file = readKeyFile(path)
  if (file === undefined) throw new KeyFileError(`${path} vanished while it was written.`)
  return file
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new KeyFileError(`${path} cannot be read. Give it to the user that runs Watchword (chown).`, {
      cause,
    })
  }
}

function parse(path: string, text: string, version: string): KeyFile {
  const damaged = () =>
    new KeyFileError(`${path} is not a key file of Watchword, or is damaged. Restore it from backup.`)
  let json: Partial<KeyFileJson> | null
  try {
    json = JSON.parse(text)
  } catch {
    // The cause is left out: the parser's message would quote the text, which holds keys.
    throw damaged()
  }
  if (json === null || typeof json !== 'object' || json.format !== 'watchword-keys-1') throw damaged()
  if (typeof json.current !== 'string' || typeof json.keys !== 'object' || json.keys === null) throw damaged()
  const keys = new Map<string, Uint8Array>()
  for (const [id, value] of Object.entries(json.keys)) keys.set(id, decodeKey(value, damaged))
  if (!keys.has(json.current)) throw damaged()
  return { path, version, currentKeyId: json.current, keys, nameKey: decodeKey(json.name_key, damaged) }
}

function decodeKey(value: unknown, damaged: () => KeyFileError): Uint8Array {
  const key = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  if (key?.length !== 32) throw damaged()
  return key
}

function encoded(file: Pick<KeyFile, 'keys'>): Record<string, string> {
  return Object.fromEntries([...file.keys].map(([id, key]) => [id, Buffer.from(key).toString('base64')]))
}

const newKey = () => randomBytes(32).toString('base64')
const newKeyId = () => randomBytes(4).toString('hex')
