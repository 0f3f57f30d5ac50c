import { createReadStream } from 'node:fs'
import { SourceError } from './source-error.ts'

/** A line of a text file, or why it is none that can be read. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly because: string }

/** More than any line of a file of users has; what is longer is skipped as it comes, and never held. */
const LONGEST_BYTES = 65_536

/**
 * The lines of a file in UTF-8, one at a time, without their ends (LF or CR LF).
 *
 * @throws SourceError when the file cannot be read.
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let pending: Buffer[] = []
  let size = 0
  let number = 0
  const finish = (): Line => {
    const bytes = Buffer.concat(pending)
    const isTooLong = size > LONGEST_BYTES
    pending = []
    size = 0
    number++
    if (isTooLong) return { number, because: 'the line is too long' }
    try {
      return { number, text: decoder.decode(bytes).replace(/\r$/, '') }
    } catch {
      // The only fault it has: bytes that are no UTF-8. Nothing of them is shown.
      return { number, because: 'the line is not UTF-8' }
    }
  }
  const take = (bytes: Buffer) => {
    size += bytes.length
    if (size <= LONGEST_BYTES) pending.push(bytes)
  }
  for await (const chunk of chunksOf(path)) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end))
      yield finish()
      from = end + 1
    }
    take(chunk.subarray(from))
  }
  if (size > 0) yield finish()
}

/**
 * The bytes of a file, a piece at a time.
 *
 * @throws SourceError when the file cannot be read.
 */
export async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    // No encoding is set on the stream, so it gives buffers.
    for await (const chunk of createReadStream(path)) yield chunk as Buffer
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable'
    throw new SourceError(`${path} cannot be read: ${why}. Check the file and who may read it.`, { cause })
  }
}
