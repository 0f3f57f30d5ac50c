import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callerSecretOf, readParams } from '../../src/apache/fastcgi/params.ts'
import { guardedHeaders, spellings } from '../../src/apache/guarded-headers.ts'

const read = (params: Record<string, string>) => readParams(new Map(Object.entries(params)))
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const authorizationOf = (header: string) => read({ HTTP_AUTHORIZATION: header }).authorization

/** As Apache 2.4.71 sends them. */
const usual = {
  WW_POLICY: 'two-factor',
  WW_SECRET: 'a secret of the caller',
  HTTP_HOST: 'www.example.com:8443',
  HTTP_COOKIE: 'ww=x; a="b"',
  HTTP_ACCEPT: 'text/html,*/*;q=0.8',
  HTTP_SEC_FETCH_MODE: 'navigate',
  HTTP_SEC_FETCH_DEST: 'document',
  HTTP_SEC_FETCH_SITE: 'same-origin',
  HTTP_X_REQUESTED_WITH: 'XMLHttpRequest',
  SERVER_NAME: 'www.example.com',
  REMOTE_ADDR: '2001:db8::1',
  REQUEST_SCHEME: 'https',
  REQUEST_METHOD: 'PROPFIND',
  REQUEST_URI: '/open/../prot?a=%2F',
  WW_TIME: '20261123120000',
}

describe('what an authorizer may use (SEC-FCGI-4)', () => {
  it('is read where it came', () => {
    assert.deepEqual(read(usual), {
      policy: 'two-factor',
      clientAddress: '2001:db8::1',
      method: 'PROPFIND',
      scheme: 'https',
      serverName: 'www.example.com',
      host: 'www.example.com:8443',
      requestUri: '/open/../prot?a=%2F',
      cookie: 'ww=x; a="b"',
      authorization: undefined,
      accept: 'text/html,*/*;q=0.8',
      fetchMode: 'navigate',
      fetchDest: 'document',
      fetchSite: 'same-origin',
      requestedWith: 'XMLHttpRequest',
      time: '20261123120000',
    })
    assert.equal(callerSecretOf(new Map(Object.entries(usual))), 'a secret of the caller')
  })

  it('is absent where it did not come, or is not what it should be', () => {
    const absent = Object.fromEntries(Object.keys(read(usual)).map((field) => [field, undefined]))
    assert.deepEqual(read({}), absent)
    assert.deepEqual(
      read({
        WW_POLICY: '../two-factor',
        HTTP_HOST: 'a.example/b',
        HTTP_COOKIE: 'ww=x\r\n',
        HTTP_ACCEPT: '',
        HTTP_SEC_FETCH_MODE: 'navigate, cors',
        SERVER_NAME: 'a b',
        REMOTE_ADDR: '192.0.2.1, 192.0.2.2',
        REQUEST_SCHEME: 'HTTPS',
        REQUEST_METHOD: 'GE T',
        REQUEST_URI: '/\0',
      }),
      absent,
    )
  })

  it('is never a header that names a user, an address, a host or a path (FT-HDR-1)', () => {
    const before = read(usual)
    const headers = [...guardedHeaders, 'WW_POLICY', 'WW_SECRET'].flatMap(spellings)
    for (const header of headers) {
      const variable = `HTTP_${header.toUpperCase().replaceAll('-', '_')}`
      assert.deepEqual(read({ ...usual, [variable]: 'evil.example' }), before, variable)
    }
  })
})

describe('credentials', () => {
  it('are read from the header', () => {
    assert.deepEqual(authorizationOf(`Basic ${base64('Žofia:pass:wörd')}`), {
      kind: 'basic',
      username: 'Žofia',
      password: 'pass:wörd',
    })
    assert.deepEqual(authorizationOf('bearer abc.def-_~+/='), { kind: 'bearer', token: 'abc.def-_~+/=' })
  })

  it('are read from what Apache took out of the header', () => {
    assert.deepEqual(
      read({ REMOTE_USER: latin1('Žofia'), REMOTE_PASSWD: latin1('pässword') }).authorization,
      {
        kind: 'basic',
        username: 'Žofia',
        password: 'pässword',
      },
    )
  })

  it('are none where there is only a user, whom the configuration may have set', () => {
    assert.equal(read({ REMOTE_USER: 'bob' }).authorization, undefined)
    assert.equal(read({ REMOTE_PASSWD: 'x' }).authorization, undefined)
  })

  it('open nothing when they cannot be read in exactly one way', () => {
    const unreadable = [
      ...[
        '',
        'Basic',
        'Basic ',
        'Basic !',
        'Basic a b',
        `Basic ${base64('no colon')}`,
        'Digest abc',
        'Bearer',
      ],
      ...[
        'Basic YTpi\r\n',
        `Basic ${base64('a:b').replace('=', '')}x`,
        'Basic YTpiY',
        'Basic YTpiYW==',
        'Basic _w==',
      ],
      ...[`Basic ${base64('a:\n')}`, `Basic ${Buffer.from('a:\xff', 'latin1').toString('base64')}`],
    ]
    for (const header of unreadable) assert.deepEqual(authorizationOf(header), { kind: 'unreadable' }, header)
    assert.deepEqual(read({ REMOTE_USER: 'a', REMOTE_PASSWD: '\xff' }).authorization, { kind: 'unreadable' })
    // The header is what the client sent: the variables do not stand in for one that cannot be read.
    assert.deepEqual(
      read({ HTTP_AUTHORIZATION: 'Digest x', REMOTE_USER: 'a', REMOTE_PASSWD: 'b' }).authorization,
      { kind: 'unreadable' },
    )
  })
})
