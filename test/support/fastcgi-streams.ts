/** One record, written by hand: any version, type and id, and a length that may lie. */
export function record(
  type: number,
  id: number,
  content: Uint8Array | string = '',
  { version = 1, padding = 0, length = -1 } = {},
): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  const told = length < 0 ? bytes.length : length
  return Buffer.concat([
    Uint8Array.of(version, type, id >> 8, id & 255, told >> 8, told & 255, padding, 0),
    bytes,
    Buffer.alloc(padding, 0xaa),
  ])
}

export const begin = (id = 1, { role = 2, flags = 0 } = {}): Buffer =>
  record(1, id, Uint8Array.of(role >> 8, role & 255, flags, 0, 0, 0, 0, 0))

/** Name-value pairs; `wide` writes every length in four bytes. */
export function pairs(entries: readonly (readonly [string, string])[], wide = false): Buffer {
  const length = (of: number): Buffer => {
    if (of < 128 && !wide) return Buffer.from([of])
    const four = Buffer.alloc(4)
    four.writeUInt32BE(of)
    four[0] = (four[0] ?? 0) | 0x80
    return four
  }
  return Buffer.concat(
    entries.flatMap(([name, value]) => [
      length(name.length),
      length(value.length),
      Buffer.from(name, 'latin1'),
      Buffer.from(value, 'latin1'),
    ]),
  )
}

/** The stream of parameters in records of at most `size` bytes, with the record that ends it. */
export function params(id: number, bytes: Buffer, size = 65_535): Buffer {
  const records: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) records.push(record(4, id, bytes.subarray(at, at + size)))
  return Buffer.concat([...records, record(4, id)])
}

/** A whole request as Apache sends it. */
export const requestStream = (entries: readonly (readonly [string, string])[], id = 1, flags = 0): Buffer =>
  Buffer.concat([begin(id, { flags }), params(id, pairs(entries))])

/** The records of an answer, strictly: version 1, nothing left over. */
export function recordsOf(bytes: Buffer): { type: number; id: number; content: Buffer }[] {
  const found: { type: number; id: number; content: Buffer }[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.length < at + 8 || bytes[at] !== 1) throw new Error(`no record at ${at} of ${bytes.length}`)
    const [length, padding] = [bytes.readUInt16BE(at + 4), bytes.readUInt8(at + 6)]
    const end = at + 8 + length
    if (bytes.length < end + padding) throw new Error('a record is cut short')
    found.push({
      type: bytes.readUInt8(at + 1),
      id: bytes.readUInt16BE(at + 2),
      content: bytes.subarray(at + 8, end),
    })
    at = end + padding
  }
  return found
}

/** Chance that is the same for the same seed (mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
