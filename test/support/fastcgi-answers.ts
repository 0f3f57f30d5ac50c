import type { AuthorizerAnswer } from '../../src/authorizer/answer.ts'

type Draw = (below: number) => number

/** Pieces of text that would be another line, another answer or another address. */
const pieces: readonly string[] = [
  ...['bob', 'a', ' ', ':', '%0d%0a', '%', '"', '<p>', '/', '//evil.example', 'https://evil.example/', '\\'],
  ...[
    '\n',
    '\r',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\0',
    '\t',
    '\v',
    '\f',
    '\x1b[0m',
    '\x7f',
    '\u0085',
    '\u2028',
    '\u2029',
  ],
  ...[
    '\r\nStatus: 200 OK',
    '\nStatus: 200 OK\n',
    'Status: 200 OK',
    '\rVariable-REMOTE_USER: root',
    '\r\n <script>',
  ],
  ...[
    '\r\nLocation: /server-status',
    '\r\nSet-Cookie: a=b',
    '\r\n\r\n/etc/passwd',
    '\u560a\u560d',
    '\u010a',
    '\ud83d\ude00',
  ],
  ...[
    'Ž',
    'ß',
    'é',
    '\ud800',
    '\udc00',
    '\u202e',
    '\ufeff',
    '\u00a0',
    'x'.repeat(300),
    'y'.repeat(2048),
    'z'.repeat(4100),
  ],
]

const names: readonly string[] = [
  ...[
    'WW_GROUPS',
    'WW_AMR',
    'REMOTE_NAME',
    'WW_POLICY',
    'WW_SECRET',
    'REMOTE_USER',
    'LD_PRELOAD',
    'HTTP_X',
    '',
  ],
  ...['WW_A\r\nStatus', 'Status', 'WW_A: x\r\nLocation', 'ww_groups', '__proto__', 'constructor'],
]

const plain: readonly string[] = ['bob', 'Žofia', 'staff,wiki', 'a b', 'alice@example.com']

/** An answer of any kind, of values that are harmless, hostile or mixed. */
export function hostileAnswer(draw: Draw): AuthorizerAnswer {
  const cookies = Array.from({ length: draw(3) }, () => (draw(3) > 0 ? `ww=${text(draw)}` : text(draw)))
  switch (draw(3)) {
    case 0: {
      const variables: Record<string, string> = {}
      for (let i = draw(3); i > 0; i--) variables[name(draw)] = text(draw)
      return { kind: 'allow', user: text(draw), variables, ...(draw(3) === 0 && { cookies }) }
    }
    case 1:
      return { kind: 'redirect', location: location(draw), ...(draw(2) === 0 && { cookies }) }
    default:
      return {
        kind: 'deny',
        status: ([400, 401, 403, 503] as const)[draw(4)] ?? 403,
        body: draw(2) === 0 ? 'page' : 'json',
        ...(draw(3) === 0 && { cookies }),
        ...(draw(2) === 0 && { challenge: text(draw) }),
        ...(draw(4) === 0 && { retryAfter: draw(3) === 0 ? draw(9) - 4.5 : draw(100) }),
      }
  }
}

const location = (draw: Draw): string =>
  draw(3) > 0 ? `https://auth.example.com/${draw(2) === 0 ? '' : text(draw)}` : text(draw)

const name = (draw: Draw): string => names[draw(2) === 0 ? draw(3) : draw(names.length)] ?? ''

function text(draw: Draw): string {
  if (draw(2) === 0) return plain[draw(plain.length)] ?? ''
  let made = ''
  for (let i = draw(4); i > 0; i--) {
    made += draw(4) === 0 ? String.fromCharCode(draw(256)) : pieces[draw(pieces.length)]
  }
  return made
}
