import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ANSWER_MAXIMUM, serializeAnswer, UNSOUND_ANSWER } from '../../src/apache/fastcgi/answer.ts'
import { encodeAnswer } from '../../src/apache/fastcgi/records.ts'
import { type AuthorizerAnswer, isVariableName } from '../../src/authorizer/answer.ts'
import { hostileAnswer } from '../support/fastcgi-answers.ts'
import { chance, recordsOf } from '../support/fastcgi-streams.ts'

/** Answers of arbitrary values that are written down; 10,000,000 for the soak (FT-FCGI-4). */
const SIZE = Number(process.env.WW_FUZZ_SIZE ?? 200_000)

const textOf = (answer: AuthorizerAnswer): string => serializeAnswer(answer).toString()

describe('an answer that allows (SEC-FCGI-3)', () => {
  it('is a status and variables, and nothing that the browser would get', () => {
    assert.equal(
      textOf({
        kind: 'allow',
        user: 'Žofia',
        variables: { WW_GROUPS: 'staff,wiki', REMOTE_NAME: 'Žofia N.' },
      }),
      'Status: 200 OK\r\nVariable-WW_SECRET:\r\nVariable-REMOTE_USER: Žofia\r\nVariable-WW_GROUPS: staff,wiki\r\nVariable-REMOTE_NAME: Žofia N.\r\n\r\n',
    )
  })

  it('renews a session only where that is asked for', () => {
    assert.match(
      textOf({ kind: 'allow', user: 'bob', cookies: ['ww=x; Path=/; Secure; HttpOnly'] }),
      /\r\nSet-Cookie: ww=x; Path=\/; Secure; HttpOnly\r\n\r\n$/,
    )
  })

  it('always has a user', () => {
    for (const user of [
      '',
      ' ',
      ' bob',
      'bob ',
      'b\nob',
      'b\r\nStatus: 200',
      'b\0',
      'b\u0085',
      'b\u2028',
      '\ud800',
    ]) {
      assert.equal(serializeAnswer({ kind: 'allow', user }), UNSOUND_ANSWER, JSON.stringify(user))
    }
  })

  it('sets no variable that decides, proves, belongs to Apache or steers programs', () => {
    const names = [
      ...[
        'WW_POLICY',
        'WW_SECRET',
        'REMOTE_USER',
        'REMOTE_ADDR',
        'HTTPS',
        'HTTP_COOKIE',
        'LD_PRELOAD',
        'PATH',
      ],
      ...[
        '',
        'WW_',
        'ww_groups',
        'WW_1',
        'WW GROUPS',
        'WW_A:',
        'WW_A\r\nStatus',
        '__proto__',
        `WW_${'A'.repeat(61)}`,
      ],
    ]
    for (const name of names) {
      assert.equal(isVariableName(name), false, name)
      assert.equal(
        serializeAnswer({ kind: 'allow', user: 'bob', variables: { [name]: 'x' } }),
        UNSOUND_ANSWER,
      )
    }
  })
})

describe('an answer that redirects', () => {
  it('names an absolute address and may set cookies', () => {
    assert.match(
      textOf({
        kind: 'redirect',
        location: 'https://auth.example.com/login?to=%2Fwiki',
        cookies: ['a=b', 'c=d'],
      }),
      /^Status: 302 Found\r\nLocation: https:\/\/auth\.example\.com\/login\?to=%2Fwiki\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nCache-Control: no-store\r\n\r\n<!doctype html>/,
    )
  })

  it('goes nowhere else', () => {
    const locations = [
      ...['', '/login', '//evil.example/', 'javascript:alert(1)', 'data:text/html,x', 'ftp://a.example/'],
      ...['https:/a.example', 'https://', 'https:///a', 'https://a\\@b.example/', 'https://u:p@a.example/'],
      ...[
        'https://a.example/ b',
        'https://a.example/\r\nStatus: 200',
        'https://é.example/',
        'https://a.example/"',
      ],
      ...['https://a.example:99999/', ' https://a.example/', `https://a.example/${'x'.repeat(4096)}`],
    ]
    for (const location of locations) {
      assert.equal(serializeAnswer({ kind: 'redirect', location }), UNSOUND_ANSWER, location)
    }
  })
})

describe('an answer that denies (SEC-FCGI-2)', () => {
  it('has a constant body for people or for programs, and headers of a closed list', () => {
    assert.match(
      textOf({
        kind: 'deny',
        status: 401,
        body: 'page',
        challenge: 'Basic realm="Watchword", charset="UTF-8"',
      }),
      /^Status: 401 Unauthorized\r\nCache-Control: no-store\r\nWWW-Authenticate: Basic realm="Watchword", charset="UTF-8"\r\n\r\n<!doctype html>/,
    )
    assert.match(
      textOf({ kind: 'deny', status: 503, body: 'json', retryAfter: 5 }),
      /^Status: 503 Service Unavailable\r\nCache-Control: no-store\r\nRetry-After: 5\r\nWatchword-Answer: json\r\n\r\n\{"error":".*","code":"unavailable"\}\n$/,
    )
  })

  it('is never what Apache would take for an address', () => {
    for (const status of [400, 401, 403, 503] as const) {
      for (const body of ['page', 'json'] as const) {
        const [, text = ''] = textOf({ kind: 'deny', status, body }).split('\r\n\r\n')
        assert.match(text, /^[<{][\n -~]+\n$/)
      }
    }
  })
})

describe('an answer that cannot be written safely (SEC-FCGI-1)', () => {
  it('is a fixed 500, also when it has other types than it says', () => {
    const given: unknown[] = [
      ...[undefined, null, 1, {}, { kind: 'allow' }, { kind: 'allow', user: 1 }, { kind: 'toString' }],
      ...[
        { kind: 'allow', user: ['bob'] },
        { kind: 'allow', user: 'bob', variables: { WW_A: ['x'] } },
      ],
      ...[
        { kind: 'allow', user: 'bob', cookies: 'a=b' },
        { kind: 'redirect' },
        { kind: 'deny', status: 200 },
      ],
      ...[
        { kind: 'deny', status: 'constructor' },
        { kind: 'deny', status: 401, retryAfter: 1.5 },
      ],
      ...[{ kind: 'deny', status: 401, body: 'page', challenge: '' }],
      {
        kind: 'redirect',
        location: `https://a.example/${'x'.repeat(4000)}`,
        cookies: [`a=${'b'.repeat(4000)}`],
      },
    ]
    for (const answer of given) {
      assert.equal(serializeAnswer(answer as AuthorizerAnswer), UNSOUND_ANSWER, JSON.stringify(answer))
    }
    assert.match(
      UNSOUND_ANSWER.toString(),
      /^Status: 500 Internal Server Error\r\nCache-Control: no-store\r\n\r\n</,
    )
  })

  it('is none of 200,000 of arbitrary values: one status, first, and no line that was not meant (FT-FCGI-4)', (t) => {
    let unsound = 0
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
      const answer = hostileAnswer(chance(seed))
      const content = serializeAnswer(answer)
      if (content === UNSOUND_ANSWER) unsound++
      else expectMeant(content, answer)
    })
    fc.assert(property, { numRuns: SIZE })
    t.diagnostic(`${SIZE} answers, ${unsound} of them unsound`)
    assert.ok(unsound > SIZE / 4 && unsound < SIZE * 0.9)
  })

  it('is none of arbitrary text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    const answers: fc.Arbitrary<AuthorizerAnswer> = fc.oneof(
      fc.record({ kind: fc.constant('allow'), user: text, variables: fc.dictionary(text, text) }),
      fc.record({ kind: fc.constant('allow'), user: text, variables: fc.record({ WW_GROUPS: text }) }),
      fc.record({ kind: fc.constant('redirect'), location: text.map((path) => `https://a.example/${path}`) }),
      fc.record({
        kind: fc.constant('deny'),
        status: fc.constantFrom(401, 403),
        body: fc.constantFrom('page', 'json'),
        challenge: text,
        cookies: fc.array(
          text.map((value) => `a=${value}`),
          { maxLength: 2 },
        ),
      }),
    )
    fc.assert(
      fc.property(answers, (answer) => {
        const content = serializeAnswer(answer)
        if (content !== UNSOUND_ANSWER) expectMeant(content, answer)
      }),
      { numRuns: 5000 },
    )
  })
})

it('goes out as one record, and the end of the request', () => {
  const content = serializeAnswer({ kind: 'allow', user: 'bob' })
  assert.deepEqual(recordsOf(encodeAnswer(513, content)), [
    { type: 6, id: 513, content },
    { type: 3, id: 513, content: Buffer.alloc(8) },
  ])
})

/** Reads an answer as the most lenient reader would, and compares it line by line with what was to be said. */
function expectMeant(content: Buffer, answer: AuthorizerAnswer): void {
  const text = content.toString()
  assert.ok(content.length <= ANSWER_MAXIMUM)
  const headEnd = text.indexOf('\r\n\r\n')
  const lines = text.slice(0, headEnd).split(/\r\n|[\r\n\0\v\f\u0085\u2028\u2029]/)
  const cookies = (answer.cookies ?? []).map((cookie) => `Set-Cookie: ${cookie}`)
  assert.deepEqual(lines.toSorted(), [...meant(answer), ...cookies].toSorted())
  assert.match(
    lines[0] ?? '',
    /^Status: (?:200 OK|302 Found|400 Bad Request|401 Unauthorized|403 Forbidden|503 Service Unavailable)$/,
  )
  assert.match(text.slice(headEnd + 4), answer.kind === 'allow' ? /^$/ : /^[<{]/)
}

const reasons = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 503: 'Service Unavailable' }

function meant(answer: AuthorizerAnswer): string[] {
  switch (answer.kind) {
    case 'allow':
      assert.notEqual(answer.user, '')
      return [
        ...['Status: 200 OK', 'Variable-WW_SECRET:', `Variable-REMOTE_USER: ${answer.user}`],
        ...Object.entries(answer.variables ?? {}).map(([name, value]) => `Variable-${name}: ${value}`),
      ]
    case 'redirect':
      return ['Status: 302 Found', `Location: ${answer.location}`, 'Cache-Control: no-store']
    case 'deny':
      return [
        ...[`Status: ${answer.status} ${reasons[answer.status]}`, 'Cache-Control: no-store'],
        ...(answer.challenge === undefined ? [] : [`WWW-Authenticate: ${answer.challenge}`]),
        ...(answer.retryAfter === undefined ? [] : [`Retry-After: ${answer.retryAfter}`]),
        ...(answer.body === 'json' ? ['Watchword-Answer: json'] : []),
      ]
  }
}
