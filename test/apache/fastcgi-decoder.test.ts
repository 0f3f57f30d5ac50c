import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FastcgiDecoder, limits } from '../../src/apache/fastcgi/decoder.ts'
import { encodePairs } from '../../src/apache/fastcgi/records.ts'
import { type ReadEvent, readWholeStream } from '../support/fastcgi-reader.ts'
import { begin, chance, pairs, params, record, requestStream } from '../support/fastcgi-streams.ts'

/** Damaged streams that are compared; 20,000,000 for the soak (FT-FUZZ-1). */
const SIZE = Number(process.env.WW_FUZZ_SIZE ?? 200_000)

/** What the decoder makes of these chunks, with its maps as lists. */
function decode(...chunks: readonly Buffer[]): ReadEvent[] {
  const decoder = new FastcgiDecoder()
  return chunks
    .flatMap((chunk) => decoder.push(chunk))
    .map((event) => {
      if (event.kind === 'request') return { ...event, params: [...event.params] }
      return event.kind === 'get-values' ? { ...event, names: [...event.names] } : event
    })
}

const reasonOf = (...chunks: readonly Buffer[]): string | undefined => {
  const last = decode(...chunks).at(-1)
  return last?.kind === 'fault' ? last.reason : undefined
}

const some = [
  ['REMOTE_ADDR', '192.0.2.1'],
  ['HTTP_COOKIE', 'ww=x'],
  ['EMPTY', ''],
] as const

describe('a request of an authorizer (SEC-FCGI-6)', () => {
  it('is read with all its parameters', () => {
    assert.deepEqual(decode(requestStream(some, 258, 1)), [
      { kind: 'request', id: 258, keepConnection: true, params: some.map((pair) => [...pair]) },
    ])
  })

  it('may have none', () => {
    assert.deepEqual(decode(begin(), record(4, 1)), [
      { kind: 'request', id: 1, keepConnection: false, params: [] },
    ])
  })

  it('is the same in every split in two and in three, and in single bytes', () => {
    const stream = Buffer.concat([
      record(9, 0, pairs([['FCGI_MAX_CONNS', '']]), { padding: 2 }),
      begin(),
      params(1, pairs(some), 7),
      record(5, 1),
    ])
    const expected = readWholeStream(stream)
    assert.equal(expected.length, 2)
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const parts = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
        assert.deepEqual(decode(...parts), expected, `${first} ${second}`)
      }
    }
    assert.deepEqual(decode(...Array.from(stream, (byte) => Buffer.of(byte))), expected)
  })

  it('is none as long as one byte is missing', () => {
    const stream = requestStream(some)
    for (let length = 0; length < stream.length; length++) {
      assert.deepEqual(decode(stream.subarray(0, length)), [], String(length))
    }
  })

  it('may have 640 KiB of headers in several records, and 1 MiB at most', () => {
    const headers = Array.from({ length: 90 }, (_, i) => [`HTTP_X_${i}`, 'v'.repeat(7281)] as const)
    assert.deepEqual(decode(requestStream(headers)), [
      { kind: 'request', id: 1, keepConnection: false, params: headers.map((pair) => [...pair]) },
    ])
    const whole = pairs([['A', 'x'.repeat(limits.paramsBytes - 6)]])
    assert.equal(whole.length, limits.paramsBytes)
    assert.equal(reasonOf(begin(), params(1, whole)), undefined)
    assert.equal(reasonOf(begin(), params(1, Buffer.concat([whole, Buffer.of(0)]))), 'params-too-long')
  })

  it('keeps every byte of a value, and reads lengths of one and of four bytes', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))
    for (const wide of [false, true]) {
      const [event] = decode(begin(), params(1, pairs([['ALL', all]], wide)))
      assert.deepEqual(event?.kind === 'request' && event.params, [['ALL', all]])
    }
    assert.deepEqual(encodePairs([['ALL', all]]), pairs([['ALL', all]]))
  })
})

describe('a stream that is none of an authorizer (SEC-FCGI-6)', () => {
  const refused: readonly (readonly [string, string, ...Buffer[]])[] = [
    ['another version', 'version', record(1, 1, Buffer.alloc(8), { version: 2 })],
    ['the role of a responder', 'role', begin(1, { role: 1 })],
    ['the role of a filter', 'role', begin(1, { role: 3 })],
    ['a role of two bytes', 'role', begin(1, { role: 258 })],
    ['an unknown flag', 'flags', begin(1, { flags: 2 })],
    ['a beginning of seven bytes', 'begin-length', record(1, 1, Buffer.alloc(7))],
    ['a request with the id 0', 'request-id', begin(0)],
    ['parameters before the beginning', 'request-id', record(4, 1, pairs(some))],
    ['parameters of another request', 'request-id', begin(1), record(4, 2)],
    ['a second request between', 'second-request', begin(1), begin(2)],
    ['the same request again', 'second-request', requestStream(some), begin(1)],
    ['parameters after their end', 'params-after-end', requestStream(some), record(4, 1)],
    ['what only an application sends', 'type', begin(), record(6, 1, 'x')],
    ['data for a filter', 'type', begin(), record(8, 1, 'x')],
    ['a management record with an id', 'type', begin(), record(9, 1)],
    ['an answer to a question', 'type', record(10, 0)],
    ['a body', 'stdin-too-long', begin(), record(5, 1, Buffer.alloc(65_535)), record(5, 1, 'xy')],
    ['a long question', 'management-too-long', record(9, 0, '', { length: 1025 })],
    ['nine questions', 'management-too-often', ...Array.from({ length: 9 }, () => record(9, 0))],
    ['no name', 'empty-name', begin(), params(1, pairs([['', 'x']]))],
    ['a name of 257 bytes', 'long-name', begin(), params(1, pairs([['N'.repeat(257), 'x']]))],
    ['a name that comes twice', 'name-twice', requestStream([...some, ['HTTP_COOKIE', 'ww=y']])],
    ['a pair that is cut', 'pair-cut-short', begin(), params(1, Buffer.from([1, 200]))],
    ['a value of 2 GiB', 'pair-cut-short', begin(), params(1, Buffer.from([1, 255, 255, 255, 255, 65]))],
    [
      '1001 pairs',
      'too-many-pairs',
      requestStream(Array.from({ length: 1001 }, (_, i) => [`N${i}`, ''] as const)),
    ],
  ]
  for (const [name, reason, ...chunks] of refused) {
    it(`is refused: ${name}`, () => {
      assert.equal(reasonOf(...chunks), reason)
      assert.equal(decode(...chunks, requestStream(some)).length, decode(...chunks).length)
    })
  }

  it('is refused by the header alone, before its content is waited for', () => {
    assert.equal(reasonOf(begin(), record(8, 1, '', { length: 65_535 })), 'type')
  })

  it('ends after 2 MiB, also where records hold nothing, and holds no memory for it', () => {
    const nothing = Buffer.concat([record(5, 1, '', { padding: 255 })])
    const decoder = new FastcgiDecoder()
    decoder.push(begin())
    let pushed = 0
    while (decoder.push(nothing).length === 0) pushed++
    assert.equal(pushed, Math.floor((limits.streamBytes - 16) / nothing.length))
    assert.deepEqual(decoder.push(requestStream(some)), [])
  })
})

describe('what else a web server may send', () => {
  it('is told: a question, an unknown type, an abort', () => {
    assert.deepEqual(
      decode(
        record(9, 0, pairs([['FCGI_MAX_REQS', '']])),
        record(77, 0, 'x'),
        begin(),
        record(2, 1),
        begin(2),
      ),
      [
        { kind: 'get-values', names: ['FCGI_MAX_REQS'] },
        { kind: 'unknown-type', type: 77 },
        { kind: 'abort', id: 1 },
      ],
    )
  })
})

describe('any bytes (FT-FUZZ-1)', () => {
  it('are read alike by a second, simple decoder, however they are cut', (t) => {
    let [slowest, requests, faults] = [0, 0, 0]
    const reasons = new Set<string>()
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
      const draw = chance(seed)
      const stream = damaged(requestLike(draw), draw)
      const started = process.threadCpuUsage()
      const read = decode(...cut(stream, draw))
      const used = process.threadCpuUsage(started)
      slowest = Math.max(slowest, (used.user + used.system) / 1000)
      const expected = readWholeStream(stream)
      assertSame(read, expected)
      if (expected.some(({ kind }) => kind === 'request')) requests++
      const last = expected.at(-1)
      if (last?.kind === 'fault') {
        faults++
        reasons.add(last.reason)
      }
    })
    fc.assert(property, { numRuns: SIZE })
    t.diagnostic(
      `${SIZE} streams: ${requests} with a request, ${faults} faults of ${reasons.size} kinds, slowest ${slowest.toFixed(1)} ms`,
    )
    assert.ok(requests > SIZE / 20 && faults > SIZE / 5 && reasons.size >= 12)
    assert.ok(slowest < 50, `${slowest} ms`)
  })

  it('are read alike also where nothing about them is a record', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), (bytes, seed) => {
        const stream = Buffer.from(bytes)
        if (stream.length > 0) stream[0] = 1
        assertSame(decode(...cut(stream, chance(seed))), readWholeStream(stream))
      }),
      { numRuns: 5000 },
    )
  })
})

/** As `deepEqual`, which costs more than both decoders. */
function assertSame(read: readonly ReadEvent[], expected: readonly ReadEvent[]): void {
  const [a, b] = [JSON.stringify(read), JSON.stringify(expected)]
  if (a !== b) assert.equal(a, b)
}

/** A few records, mostly in an order that makes a request. */
function requestLike(draw: (below: number) => number): Buffer {
  const id = 1 + draw(3)
  const entries = Array.from({ length: draw(5) }, () => [word(draw), word(draw)] as const)
  const bytes = pairs(entries, draw(4) === 0)
  const parts: Buffer[] = []
  if (draw(6) === 0) parts.push(record(9, 0, pairs([['FCGI_MAX_CONNS', '']]), { padding: draw(9) }))
  if (draw(8) === 0) parts.push(record(draw(256), draw(3), bytes))
  parts.push(begin(draw(12) === 0 ? draw(4) : id, { role: draw(20) === 0 ? draw(5) : 2, flags: draw(3) }))
  parts.push(params(id, bytes, 1 + draw(40)))
  if (draw(4) === 0) parts.splice(draw(parts.length + 1), 0, record(draw(12), draw(4), 'xyz'.slice(draw(4))))
  if (draw(6) === 0) parts.push(record(5, id, '', { padding: draw(9) }))
  if (draw(8) === 0) parts.push(record(2, id))
  return Buffer.concat(parts)
}

const words = ['A', 'HTTP_COOKIE', 'REMOTE_ADDR', '', 'x'.repeat(127), 'y'.repeat(128), 'Z'.repeat(257)]
const word = (draw: (below: number) => number): string =>
  draw(3) === 0 ? String.fromCharCode(draw(256), draw(256)) : (words[draw(draw(5) === 0 ? 7 : 3)] ?? '')

/** Bytes are changed, left out, doubled; the end is cut off. Half of the streams stay whole. */
function damaged(stream: Buffer, draw: (below: number) => number): Buffer {
  let bytes = stream
  for (let rounds = draw(2) * (1 + draw(3)); rounds > 0 && bytes.length > 0; rounds--) {
    const at = draw(bytes.length)
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (draw(5)) {
      case 0:
        bytes = head
        break
      case 1:
        bytes = Buffer.concat([head, tail.subarray(1 + draw(4))])
        break
      case 2:
        bytes = Buffer.concat([head, tail.subarray(0, 1 + draw(16)), tail])
        break
      default:
        bytes = Buffer.from(bytes)
        bytes[at] = draw(3) === 0 ? draw(256) : (bytes[at] ?? 0) ^ (1 << draw(8))
    }
  }
  return bytes
}

/** At up to four places, or after every byte. */
function cut(stream: Buffer, draw: (below: number) => number): Buffer[] {
  if (draw(16) === 0) return Array.from(stream, (byte) => Buffer.of(byte))
  const places = Array.from({ length: draw(5) }, () => draw(stream.length + 1)).toSorted((a, b) => a - b)
  return [0, ...places].map((place, i) => stream.subarray(place, places[i] ?? stream.length))
}
