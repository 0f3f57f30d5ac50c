import { type PairFault, readPairs } from './pairs.ts'
import { AUTHORIZER, HEADER_BYTES, recordType as type, VERSION } from './records.ts'

/** What the bytes of one connection said so far. */
export type FastcgiEvent =
  /** All parameters have come; `params` are what FastCGI 1.0 §5.2 calls so, one character a byte. */
  | {
      readonly kind: 'request'
      readonly id: number
      /** Whether the client would go on with this connection (FastCGI 1.0 §5.1); it may hope. */
      readonly keepConnection: boolean
      readonly params: ReadonlyMap<string, string>
    }
  /** The client does not want an answer any more (FastCGI 1.0 §5.4). The last event. */
  | { readonly kind: 'abort'; readonly id: number }
  /** The client asks how this server is made (FastCGI 1.0 §4.1). */
  | { readonly kind: 'get-values'; readonly names: readonly string[] }
  /** A management record of a type that FastCGI 1.0 does not have (§4.2). */
  | { readonly kind: 'unknown-type'; readonly type: number }
  /** The bytes cannot be believed. The last event. */
  | Fault

/** Why the bytes of a connection are not a request of an authorizer; `id` is 0 where none was begun. */
export interface Fault {
  readonly kind: 'fault'
  readonly reason: FaultReason
  readonly id: number
}

export type FaultReason =
  | PairFault
  | 'version'
  | 'type'
  | 'request-id'
  | 'second-request'
  | 'begin-length'
  | 'role'
  | 'flags'
  | 'params-too-long'
  | 'params-after-end'
  | 'stdin-too-long'
  | 'management-too-long'
  | 'management-too-often'
  | 'stream-too-long'

/** What one connection may send (SEC-FCGI-6). */
export const limits = {
  /** Content of all `FCGI_PARAMS` together; 640 KiB of headers come when Apache has its default limits. */
  paramsBytes: 1024 * 1024,
  /** Content of all `FCGI_STDIN` together: an authorizer has no use for it (FastCGI 1.0 §6.3). */
  stdinBytes: 64 * 1024,
  /** Everything, headers and padding with it: no connection goes on for ever with records of nothing. */
  streamBytes: 2 * 1024 * 1024,
  managementRecords: 8,
  managementBytes: 1024,
} as const

export interface FastcgiDecoder {
  /**
   * Takes the next bytes of the connection and gives what they complete, in order.
   *
   * The events are the same however the stream is cut into chunks. After a fault or an abort all bytes are ignored.
   * The chunk is not kept.
   */
  push(chunk: Buffer): readonly FastcgiEvent[]
}

/**
 * Reads what a web server sends to an authorizer on one connection: one request (FastCGI 1.0 §3.3, §5, §6.3).
 *
 * Never throws. A record is judged by its header before its content is waited for, and takes effect when its
 * content is complete; padding and reserved bytes are skipped. Memory is bounded by `limits`.
 */
export function createDecoder(): FastcgiDecoder {
  // Out of the pool, as all here: a buffer of its own costs more than reading a record.
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  const small = createGather()
  const params = createGather()
  let expected: 'header' | 'content' | 'padding' | 'nothing' = 'header'
  /** Bytes still to come of what is expected. */
  let missing = HEADER_BYTES
  let sink: Gather | undefined
  let begun: { readonly id: number; readonly keepConnection: boolean } | undefined
  let paramsEnded = false
  let [stdinBytes, streamBytes, managementRecords] = [0, 0, 0]

  function push(chunk: Buffer): readonly FastcgiEvent[] {
    const events: FastcgiEvent[] = []
    let at = 0
    while (at < chunk.length && expected !== 'nothing') {
      const end = Math.min(at + missing, chunk.length)
      if (expected === 'header') chunk.copy(header, HEADER_BYTES - missing, at, end)
      else if (expected === 'content') sink?.add(chunk, at, end)
      missing -= end - at
      at = end
      // A part of length 0 is complete as soon as the one before it is.
      while (missing === 0 && isOpen()) complete(events)
    }
    return events
  }

  // The compiler takes `expected` for unchanged by calls.
  const isOpen = (): boolean => expected !== 'nothing'

  function complete(events: FastcgiEvent[]): void {
    if (expected === 'header') {
      const reason = judgeHeader()
      expect('content', header.readUInt16BE(4))
      if (reason !== undefined) tell(events, { kind: 'fault', reason, id: begun?.id ?? 0 })
    } else if (expected === 'content') {
      expect('padding', header[6] ?? 0)
      const event = takeRecord()
      if (event !== undefined) tell(events, event)
    } else {
      expect('header', HEADER_BYTES)
    }
  }

  function tell(events: FastcgiEvent[], event: FastcgiEvent): void {
    events.push(event)
    if (event.kind === 'fault' || event.kind === 'abort') expect('nothing', 0)
  }

  function expect(part: typeof expected, bytes: number): void {
    expected = part
    missing = bytes
  }

  function judgeHeader(): FaultReason | undefined {
    const [length, padding] = [header.readUInt16BE(4), header[6] ?? 0]
    sink = undefined
    if (header[0] !== VERSION) return 'version'
    streamBytes += HEADER_BYTES + length + padding
    if (streamBytes > limits.streamBytes) return 'stream-too-long'
    return header.readUInt16BE(2) === 0 ? judgeManagement(length) : judgeApplication(length)
  }

  /** Records that belong to no request have the id 0 (FastCGI 1.0 §3.3, §4). */
  function judgeManagement(length: number): FaultReason | undefined {
    const kind = header[1] ?? 0
    if (kind >= type.beginRequest && kind <= type.data) return 'request-id'
    // What only an application sends.
    if (kind === type.getValuesResult || kind === type.unknownType) return 'type'
    if (++managementRecords > limits.managementRecords) return 'management-too-often'
    if (kind !== type.getValues) return undefined
    if (length > limits.managementBytes) return 'management-too-long'
    sink = small
    return undefined
  }

  function judgeApplication(length: number): FaultReason | undefined {
    const [kind, id] = [header[1], header.readUInt16BE(2)]
    if (kind === type.beginRequest) {
      if (begun !== undefined) return 'second-request'
      sink = small
      return length === 8 ? undefined : 'begin-length'
    }
    if (kind !== type.abortRequest && kind !== type.params && kind !== type.stdin) return 'type'
    if (id !== begun?.id) return 'request-id'
    if (kind === type.params) {
      if (paramsEnded) return 'params-after-end'
      sink = params
      return params.length() + length > limits.paramsBytes ? 'params-too-long' : undefined
    }
    if (kind === type.stdin) stdinBytes += length
    return stdinBytes > limits.stdinBytes ? 'stdin-too-long' : undefined
  }

  /** What the record means whose header and content have come. */
  function takeRecord(): FastcgiEvent | undefined {
    const [kind, id] = [header[1] ?? 0, header.readUInt16BE(2)]
    if (id === 0) return kind === type.getValues ? takeQuestion() : { kind: 'unknown-type', type: kind }
    if (kind === type.beginRequest) return takeBegin(id)
    if (kind === type.abortRequest) return { kind: 'abort', id }
    // A stream ends with a record of no content (FastCGI 1.0 §3.3).
    return kind === type.params && header.readUInt16BE(4) === 0 ? takeParams(id) : undefined
  }

  function takeBegin(id: number): Fault | undefined {
    const body = small.take()
    if (body.readUInt16BE(0) !== AUTHORIZER) return { kind: 'fault', reason: 'role', id }
    const flags = body[2] ?? 0
    if (flags > 1) return { kind: 'fault', reason: 'flags', id }
    begun = { id, keepConnection: flags === 1 }
    return undefined
  }

  function takeParams(id: number): FastcgiEvent {
    paramsEnded = true
    const pairs = readPairs(params.take())
    if (typeof pairs === 'string') return { kind: 'fault', reason: pairs, id }
    return { kind: 'request', id, keepConnection: begun?.keepConnection ?? false, params: pairs }
  }

  function takeQuestion(): FastcgiEvent {
    const pairs = readPairs(small.take())
    if (typeof pairs === 'string') return { kind: 'fault', reason: pairs, id: begun?.id ?? 0 }
    return { kind: 'get-values', names: [...pairs.keys()] }
  }

  return { push }
}

/** Bytes of one content or stream, put together; copied, so that no slice holds a whole chunk in memory. */
interface Gather {
  length(): number
  add(chunk: Buffer, start: number, end: number): void
  /** What was gathered; the gather is empty afterwards and shares nothing with it. */
  take(): Buffer
}

const noBytes = Buffer.alloc(0)

function createGather(): Gather {
  let bytes = noBytes
  let length = 0
  return {
    length: () => length,
    add(chunk, start, end) {
      const needed = length + end - start
      if (needed > bytes.length) {
        const larger = Buffer.allocUnsafe(length === 0 ? needed : Math.max(needed, bytes.length * 2))
        bytes.copy(larger, 0, 0, length)
        bytes = larger
      }
      chunk.copy(bytes, length, start, end)
      length = needed
    },
    take() {
      const taken = bytes.subarray(0, length)
      bytes = noBytes
      length = 0
      return taken
    },
  }
}
