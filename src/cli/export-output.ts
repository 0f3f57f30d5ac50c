import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Refusal } from './exit-code.ts'
import { printLines } from './terminal.ts'

/** Takes lines, no faster than they can be kept or read. */
export type WriteLines = (lines: readonly string[]) => Promise<void>

/**
 * Lends a way to write lines to a file, or to standard output if none is named.
 *
 * The file is readable by its owner alone, and appears under its name once it is whole and on disk. Replaces none.
 */
export async function withOutput(
  file: string | undefined,
  work: (write: WriteLines) => Promise<void>,
): Promise<void> {
  if (file === undefined) return work(printLines)
  const path = resolve(file)
  const isThere = () => new Refusal(`${path} is there already and was left as it is. Give another name.`)
  if (existsSync(path)) throw isThere()
  const part = `${path}.part`
  // What an earlier one that was killed left behind.
  rmSync(part, { force: true })
  const descriptor = openSync(part, 'wx', 0o600)
  try {
    await work(async (lines) => {
      writeFileSync(descriptor, lines.map((line) => `${line}\n`).join(''))
    })
    fsyncSync(descriptor)
    linkSync(part, path)
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? isThere() : error
  } finally {
    closeSync(descriptor)
    rmSync(part, { force: true })
  }
  const folder = openSync(dirname(path), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
