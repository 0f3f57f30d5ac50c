/** The version that every record names (FastCGI 1.0 §8, `FCGI_VERSION_1`). */
export const VERSION = 1

/** Bytes of a record before its content (FastCGI 1.0 §3.3). */
export const HEADER_BYTES = 8

/** Types of records (FastCGI 1.0 §8). */
export const recordType = {
  beginRequest: 1,
  abortRequest: 2,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
  data: 8,
  getValues: 9,
  getValuesResult: 10,
  unknownType: 11,
} as const

/** The one role that is played here: may this request be served? (FastCGI 1.0 §6.3, §8) */
export const AUTHORIZER = 2

/** How a request ended (FastCGI 1.0 §5.5). */
const protocolStatus = { requestComplete: 0, unknownRole: 3 } as const

/** One record without padding; `content` has at most 65,535 bytes, as its length has two (FastCGI 1.0 §3.3). */
export function encodeRecord(type: number, id: number, content: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + content.length)
  writeHeader(record, 0, type, id, content.length)
  record.set(content, HEADER_BYTES)
  return record
}

/**
 * A whole answer: all of it in one `FCGI_STDOUT` record, then `FCGI_END_REQUEST` (SEC-FCGI-1).
 *
 * Apache looks for headers and body in the first record only and drops what comes in a second one.
 */
export function encodeAnswer(id: number, content: Uint8Array): Buffer {
  const end = HEADER_BYTES + content.length
  const records = Buffer.allocUnsafe(end + HEADER_BYTES + 8)
  writeHeader(records, 0, recordType.stdout, id, content.length)
  records.set(content, HEADER_BYTES)
  writeHeader(records, end, recordType.endRequest, id, 8)
  // Exit status 0, request complete.
  records.fill(0, end + HEADER_BYTES)
  return records
}

/** What a request gets that asks for another role: its end, and no word that could be an answer (FastCGI 1.0 §5.5). */
export function encodeUnknownRole(id: number): Buffer {
  return encodeRecord(
    recordType.endRequest,
    id,
    Uint8Array.of(0, 0, 0, 0, protocolStatus.unknownRole, 0, 0, 0),
  )
}

/** The answer to a management record of a type that is not known (FastCGI 1.0 §4.2). */
export function encodeUnknownType(type: number): Buffer {
  return encodeRecord(recordType.unknownType, 0, Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0))
}

/** The answer to `FCGI_GET_VALUES`: those of the variables asked for that are known (FastCGI 1.0 §4.1). */
export function encodeValues(names: Iterable<string>, known: ReadonlyMap<string, string>): Buffer {
  const pairs: (readonly [string, string])[] = []
  for (const name of names) {
    const value = known.get(name)
    if (value !== undefined) pairs.push([name, value])
  }
  return encodeRecord(recordType.getValuesResult, 0, encodePairs(pairs))
}

/** Name-value pairs as FastCGI 1.0 §3.4 writes them; names and values are one byte a character. */
export function encodePairs(pairs: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of pairs) {
    parts.push(lengthOf(name), lengthOf(value), Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'))
  }
  return Buffer.concat(parts)
}

/** Up to 127 in one byte, more in four, of which the first has its high bit set (FastCGI 1.0 §3.4). */
function lengthOf(text: string): Buffer {
  if (text.length < 128) return Buffer.of(text.length)
  const four = Buffer.allocUnsafe(4)
  four.writeUInt32BE(text.length + 2 ** 31)
  return four
}

function writeHeader(into: Buffer, at: number, type: number, id: number, length: number): void {
  into[at] = VERSION
  into[at + 1] = type
  into.writeUInt16BE(id, at + 2)
  into.writeUInt16BE(length, at + 4)
  into[at + 6] = 0
  into[at + 7] = 0
}
