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

/**
 * Reads what a web server sends to an authorizer on one connection: one request (FastCGI 1.0 §3.3, §5, §6.3).
 *
 * Never throws. A record is judged by its header before its content is waited for, and takes effect when its
 * content is complete; padding and reserved bytes are skipped. Memory is bounded by `limits`.
 */
export class FastcgiDecoder {
  #expected: 'header' | 'content' | 'padding' | 'nothing' = 'header'
  /** Bytes still to come of what is expected. */
  #missing = HEADER_BYTES
  readonly #header = new Gather()
  /** Of the record whose header came last. */
  #record: RecordHeader = noRecord
  #sink: Gather | undefined
  readonly #small = new Gather()
  readonly #params = new Gather()
  #begun: { readonly id: number; readonly keepConnection: boolean } | undefined
  #paramsEnded = false
  #stdinBytes = 0
  #streamBytes = 0
  #managementRecords = 0

  /**
   * Takes the next bytes of the connection and gives what they complete, in order.
   *
   * The events are the same however the stream is cut into chunks. After a fault or an abort all bytes are ignored.
   * The chunk is not kept.
   */
  push(chunk: Buffer): readonly FastcgiEvent[] {
    const events: FastcgiEvent[] = []
    let at = 0
    while (at < chunk.length && this.#expected !== 'nothing') {
      const end = Math.min(at + this.#missing, chunk.length)
      if (this.#expected === 'header') this.#takeHeader(chunk, at, end)
      else if (this.#expected === 'content') this.#sink?.add(chunk, at, end)
      this.#missing -= end - at
      at = end
      // A part of length 0 is complete as soon as the one before it is.
      while (this.#missing === 0 && this.#isOpen()) this.#complete(events)
    }
    return events
  }

  // The compiler takes `#expected` for unchanged by calls.
  #isOpen(): boolean {
    return this.#expected !== 'nothing'
  }

  /** Mostly all of it comes at once, and is read where it is. */
  #takeHeader(chunk: Buffer, at: number, end: number): void {
    if (end - at === HEADER_BYTES) {
      this.#record = recordHeaderAt(chunk, at)
      return
    }
    this.#header.add(chunk, at, end)
    if (this.#header.length === HEADER_BYTES) this.#record = recordHeaderAt(this.#header.take(), 0)
  }

  #complete(events: FastcgiEvent[]): void {
    if (this.#expected === 'header') {
      const reason = this.#judgeHeader()
      this.#expect('content', this.#record.length)
      if (reason !== undefined) this.#tell(events, { kind: 'fault', reason, id: this.#begun?.id ?? 0 })
    } else if (this.#expected === 'content') {
      this.#expect('padding', this.#record.padding)
      const event = this.#takeRecord()
      if (event !== undefined) this.#tell(events, event)
    } else {
      this.#expect('header', HEADER_BYTES)
    }
  }

  #tell(events: FastcgiEvent[], event: FastcgiEvent): void {
    events.push(event)
    if (event.kind === 'fault' || event.kind === 'abort') this.#expect('nothing', 0)
  }

  #expect(part: 'header' | 'content' | 'padding' | 'nothing', bytes: number): void {
    this.#expected = part
    this.#missing = bytes
  }

  #judgeHeader(): FaultReason | undefined {
    const { version, id, length, padding } = this.#record
    this.#sink = undefined
    if (version !== VERSION) return 'version'
    this.#streamBytes += HEADER_BYTES + length + padding
    if (this.#streamBytes > limits.streamBytes) return 'stream-too-long'
    return id === 0 ? this.#judgeManagement() : this.#judgeApplication()
  }

  /** Records that belong to no request have the id 0 (FastCGI 1.0 §3.3, §4). */
  #judgeManagement(): FaultReason | undefined {
    const { type: kind, length } = this.#record
    if (kind >= type.beginRequest && kind <= type.data) return 'request-id'
    // What only an application sends.
    if (kind === type.getValuesResult || kind === type.unknownType) return 'type'
    if (++this.#managementRecords > limits.managementRecords) return 'management-too-often'
    if (kind !== type.getValues) return undefined
    if (length > limits.managementBytes) return 'management-too-long'
    this.#sink = this.#small
    return undefined
  }

  #judgeApplication(): FaultReason | undefined {
    const { type: kind, id, length } = this.#record
    if (kind === type.beginRequest) {
      if (this.#begun !== undefined) return 'second-request'
      this.#sink = this.#small
      return length === 8 ? undefined : 'begin-length'
    }
    if (kind !== type.abortRequest && kind !== type.params && kind !== type.stdin) return 'type'
    if (id !== this.#begun?.id) return 'request-id'
    if (kind === type.params) {
      if (this.#paramsEnded) return 'params-after-end'
      this.#sink = this.#params
      return this.#params.length + length > limits.paramsBytes ? 'params-too-long' : undefined
    }
    if (kind === type.stdin) this.#stdinBytes += length
    return this.#stdinBytes > limits.stdinBytes ? 'stdin-too-long' : undefined
  }

  /** What the record means whose header and content have come. */
  #takeRecord(): FastcgiEvent | undefined {
    const { type: kind, id, length } = this.#record
    if (id === 0) return kind === type.getValues ? this.#takeQuestion() : { kind: 'unknown-type', type: kind }
    if (kind === type.beginRequest) return this.#takeBegin(id)
    if (kind === type.abortRequest) return { kind: 'abort', id }
    // A stream ends with a record of no content (FastCGI 1.0 §3.3).
    return kind === type.params && length === 0 ? this.#takeParams(id) : undefined
  }

  #takeBegin(id: number): Fault | undefined {
    const body = this.#small.take()
    if (body.readUInt16BE(0) !== AUTHORIZER) return { kind: 'fault', reason: 'role', id }
    const flags = body[2] ?? 0
    if (flags > 1) return { kind: 'fault', reason: 'flags', id }
    this.#begun = { id, keepConnection: flags === 1 }
    return undefined
  }

  #takeParams(id: number): FastcgiEvent {
    this.#paramsEnded = true
    const pairs = readPairs(this.#params.take())
    if (typeof pairs === 'string') return { kind: 'fault', reason: pairs, id }
    return { kind: 'request', id, keepConnection: this.#begun?.keepConnection ?? false, params: pairs }
  }

  #takeQuestion(): FastcgiEvent {
    const pairs = readPairs(this.#small.take())
    if (typeof pairs === 'string') return { kind: 'fault', reason: pairs, id: this.#begun?.id ?? 0 }
    return { kind: 'get-values', names: [...pairs.keys()] }
  }
}

/** What stands before the content of a record (FastCGI 1.0 §3.3). */
interface RecordHeader {
  readonly version: number
  readonly type: number
  readonly id: number
  /** Bytes of content, and of padding after it. */
  readonly length: number
  readonly padding: number
}

const noRecord: RecordHeader = { version: 0, type: 0, id: 0, length: 0, padding: 0 }

const recordHeaderAt = (bytes: Buffer, at: number): RecordHeader => ({
  version: bytes[at] ?? 0,
  type: bytes[at + 1] ?? 0,
  id: bytes.readUInt16BE(at + 2),
  length: bytes.readUInt16BE(at + 4),
  padding: bytes[at + 6] ?? 0,
})

const noBytes = Buffer.alloc(0)

/** Bytes of one content or stream, put together; copied, so that no slice holds a whole chunk in memory. */
class Gather {
  #bytes = noBytes
  #length = 0

  get length(): number {
    return this.#length
  }

  add(chunk: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start
    if (needed > this.#bytes.length) {
      const isFirst = this.#length === 0
      const larger = Buffer.allocUnsafe(isFirst ? needed : Math.max(needed, this.#bytes.length * 2))
      if (!isFirst) this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    chunk.copy(this.#bytes, this.#length, start, end)
    this.#length = needed
  }

  /** What was gathered; the gather is empty afterwards and shares nothing with it. */
  take(): Buffer {
    const taken = this.#bytes.length === this.#length ? this.#bytes : this.#bytes.subarray(0, this.#length)
    this.#bytes = noBytes
    this.#length = 0
    return taken
  }
}
