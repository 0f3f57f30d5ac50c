import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { UnixSeconds } from '../../domain/time.ts'
import type { Snapshot, Value } from './snapshot.ts'

/** The file is no backup, is damaged, cut short, or of a newer program. */
export class BackupFileError extends Error {
  override readonly name = 'BackupFileError'
}

/** The first line of a backup. */
export interface BackupHeader {
  readonly format: typeof FORMAT
  readonly madeAt: UnixSeconds
  /** The migrations that made the tables. */
  readonly migrations: readonly string[]
  /** Of the key file that opens what is sealed in it. */
  readonly keyFingerprint: string
  /** The key file, sealed by a passphrase, if it was asked for. */
  readonly keys: string | undefined
}

/** What was written or read. */
export interface BackupContents {
  readonly header: BackupHeader
  /** How many rows of each table. */
  readonly rows: ReadonlyMap<string, number>
}

/** Rows of one table, as they stand in the file. */
export interface BackupPart {
  readonly table: { readonly name: string; readonly columns: readonly string[] }
  readonly rows: readonly (readonly Value[])[]
}

const FORMAT = 'watchword-backup-1'

/** Longer than any line of a backup; what has none so far is not one. */
const LONGEST_LINE = 16 * 1024 * 1024

/**
 * Writes a snapshot as one file: JSON lines, compressed, a header first and a checksum last; readable by its owner alone.
 *
 * The file appears under its name once it is whole and on disk. Replaces none: throws `EEXIST`.
 */
export async function writeBackup(
  path: string,
  snapshot: Snapshot,
  header: Omit<BackupHeader, 'format' | 'migrations'>,
  progress: (rows: number) => void,
): Promise<void> {
  const part = `${path}.part`
  if (existsSync(path)) throw Object.assign(new Error(`${path} is there already`), { code: 'EEXIST' })
  // What an earlier one that was killed left behind.
  rmSync(part, { force: true })
  try {
    const lines = linesOf(snapshot, { ...header, format: FORMAT, migrations: snapshot.migrations }, progress)
    await pipeline(
      Readable.from(lines),
      createGzip(),
      createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }),
    )
    // Unlike a rename it replaces nothing, and unlike an empty file put there first it leaves nothing half-done.
    linkSync(part, path)
  } finally {
    rmSync(part, { force: true })
  }
  syncFolder(dirname(path))
}

async function* linesOf(
  snapshot: Snapshot,
  header: BackupHeader,
  progress: (rows: number) => void,
): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const rows: Record<string, number> = {}
  let written = 0
  const line = (value: unknown): string => {
    const text = `${JSON.stringify(value)}\n`
    hash.update(text)
    return text
  }
  yield line(header)
  for (const { name, columns, rows: batches } of snapshot.tables) {
    yield line({ table: name, columns })
    rows[name] = 0
    for await (const batch of batches()) {
      yield batch.map(line).join('')
      rows[name] += batch.length
      written += batch.length
      progress(written)
    }
  }
  yield line({ rows })
  yield `${JSON.stringify({ sha256: hash.digest('hex') })}\n`
}

/**
 * Reads a backup from its first to its last line, and gives its rows to `take`, some at a time.
 *
 * @throws BackupFileError when anything in it is not as it was written; what was taken before is then worth nothing.
 */
export async function readBackup(
  path: string,
  take: (part: BackupPart, header: BackupHeader) => Promise<void> | void,
): Promise<BackupContents> {
  const hash = createHash('sha256')
  let header: BackupHeader | undefined
  let table: BackupPart['table'] | undefined
  let counted: unknown
  let isWhole = false
  const rows = new Map<string, number>()
  for await (const lines of linesIn(path)) {
    let batch: (readonly Value[])[] = []
    for (const text of lines) {
      if (isWhole) throw new BackupFileError(`${path} goes on after its end.`)
      const value = parsed(text, path)
      const isLast = counted !== undefined
      if (isLast) {
        isWhole = hasText(value, 'sha256') && value.sha256 === hash.digest('hex')
        if (!isWhole) throw damaged(path)
        continue
      }
      hash.update(`${text}\n`)
      if (header === undefined) header = headerFrom(value, path)
      else if (Array.isArray(value)) {
        if (table === undefined || !isRow(value, table.columns.length)) throw damaged(path)
        batch.push(value)
      } else {
        if (batch.length > 0 && table !== undefined) await give(header, table, batch)
        batch = []
        if (isTable(value)) {
          table = { name: value.table, columns: value.columns }
          if (rows.has(table.name)) throw damaged(path)
          rows.set(table.name, 0)
        } else if (isObject(value) && isObject(value.rows)) counted = value.rows
        else throw damaged(path)
      }
    }
    if (batch.length > 0 && header !== undefined && table !== undefined) await give(header, table, batch)
  }
  if (!isWhole || header === undefined)
    throw new BackupFileError(`${path} ends in the middle. Take another copy.`)
  if (JSON.stringify(Object.fromEntries(rows)) !== JSON.stringify(counted)) throw damaged(path)
  return { header, rows }

  async function give(
    first: BackupHeader,
    of: BackupPart['table'],
    batch: readonly (readonly Value[])[],
  ): Promise<void> {
    rows.set(of.name, (rows.get(of.name) ?? 0) + batch.length)
    await take({ table: of, rows: batch }, first)
  }
}

/** The lines of a compressed file, as many at a time as come at once. */
async function* linesIn(path: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  const bytes = createReadStream(path)
  const unzipped = createGunzip()
  // The error of either end is the other's too, and is thrown to whoever reads.
  bytes.on('error', (error) => unzipped.destroy(error))
  bytes.pipe(unzipped)
  try {
    for await (const chunk of unzipped) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > LONGEST_LINE) throw damaged(path)
      yield lines
    }
    decoder.decode()
  } catch (error) {
    if (error instanceof BackupFileError) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    if (code.startsWith('E') && !code.startsWith('ERR_')) throw error
    throw new BackupFileError(`${path} is no backup of Watchword, or is damaged or cut short.`, {
      cause: error,
    })
  } finally {
    bytes.destroy()
  }
  if (rest !== '') throw new BackupFileError(`${path} ends in the middle. Take another copy.`)
}

function headerFrom(value: unknown, path: string): BackupHeader {
  if (!isObject(value) || typeof value.format !== 'string') throw damaged(path)
  if (value.format !== FORMAT) {
    throw new BackupFileError(
      `${path} is a backup in the format ${JSON.stringify(value.format)}; this program reads ${FORMAT}.`,
    )
  }
  const { madeAt, migrations, keyFingerprint, keys } = value
  const isSound =
    Number.isSafeInteger(madeAt) &&
    isTexts(migrations) &&
    typeof keyFingerprint === 'string' &&
    (keys === undefined || typeof keys === 'string')
  if (!isSound) throw damaged(path)
  return { format: FORMAT, madeAt: madeAt as number, migrations, keyFingerprint, keys }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message would quote the line, which holds hashes.
    throw damaged(path)
  }
}

const damaged = (path: string) =>
  new BackupFileError(`${path} is no backup of Watchword, or was changed since it was written.`)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasText = <Name extends string>(value: unknown, name: Name): value is Record<Name, string> =>
  isObject(value) && typeof value[name] === 'string'

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

const isTable = (value: unknown): value is { table: string; columns: string[] } =>
  isObject(value) && typeof value.table === 'string' && isTexts(value.columns) && value.columns.length > 0

const isRow = (value: readonly unknown[], length: number): value is readonly Value[] =>
  value.length === length &&
  value.every((each) => each === null || typeof each === 'string' || Number.isSafeInteger(each))

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
