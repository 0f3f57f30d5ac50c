import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Reads a file that only grows: each time what came since the last, a character for each byte. */
export function newText(path: string): () => string {
  let known = 0
  return () => {
    const file = openSync(path, 'r')
    try {
      const part = Buffer.alloc(fstatSync(file).size - known)
      const read = readSync(file, part, 0, part.length, known)
      known += read
      return part.toString('latin1', 0, read)
    } finally {
      closeSync(file)
    }
  }
}
