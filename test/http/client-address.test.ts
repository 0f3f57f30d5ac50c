import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Peer } from '../../src/http/guards/client-address.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'
import { isSignedIn } from './journeys.ts'

const PROXY = '192.0.2.80'
const SECOND = '2001:db8:ffff::80'

describe('where a request comes from (SEC-RATE-3, FT-HDR-1)', () => {
  let world: World
  before(async () => {
    world = await startWorld({
      config: {
        trustedProxies: [
          { family: 'ipv4', address: PROXY, prefix: 32 },
          { family: 'ipv6', address: '2001:db8:ffff::', prefix: 48 },
        ],
        throttle: { serverLimit: 1_000_000, networkLimit: 100_000, siteLimit: 1_000_000 },
      },
    })
  })
  after(() => world.close())

  let names = 0
  /** The address under which the audit log writes down a wrong password that came like this. */
  const addressOf = async (peer: Peer, headers: Record<string, string>) => {
    const fields = { username: `n${++names}`, password: 'wrong' }
    const reply = await world.browser({ peer }).post('/auth/login/', fields, headers)
    assert.equal(reply.status, 401)
    const { address } = await world.services.db
      .selectFrom('audit_event')
      .select('address')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    return address
  }
  const tcp = (address: string): Peer => ({ kind: 'tcp', address })
  const forwarded = (value: string) => ({ 'x-forwarded-for': value })

  it('is the peer, whatever a peer that is not listed says (L-32)', async () => {
    const others = ['192.0.2.81', '127.0.0.1', '10.0.0.1', '2001:db8:fffe::80', '::1']
    for (const peer of others) {
      for (const value of ['203.0.113.9', '127.0.0.1', PROXY, `203.0.113.9, ${PROXY}`, 'unknown']) {
        assert.equal(await addressOf(tcp(peer), forwarded(value)), peer)
      }
    }
  })

  it('is told by the right-most hop that is not listed itself', async () => {
    const cases: [string, string][] = [
      ['203.0.113.9', '203.0.113.9'],
      ['198.51.100.1, 203.0.113.9', '203.0.113.9'],
      ['127.0.0.1, 203.0.113.9', '203.0.113.9'],
      [`203.0.113.9, ${PROXY}`, '203.0.113.9'],
      [`198.51.100.1,203.0.113.9,${SECOND}`, '203.0.113.9'],
      [`198.51.100.1, 203.0.113.9, ${PROXY}, ${SECOND}`, '203.0.113.9'],
      [' 203.0.113.9 ', '203.0.113.9'],
      ['2001:db8:1::9', '2001:db8:1::9'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      [PROXY, PROXY],
      [`${SECOND}, ${PROXY}`, SECOND],
    ]
    for (const [value, expected] of cases) {
      assert.equal(await addressOf(tcp(PROXY), forwarded(value)), expected, value)
      assert.equal(await addressOf(tcp(`::ffff:${PROXY}`), forwarded(value)), expected, value)
    }
    assert.equal(await addressOf(tcp(SECOND), forwarded('203.0.113.9')), '203.0.113.9')
    assert.equal(await addressOf({ kind: 'unix' }, forwarded('198.51.100.1, 203.0.113.9')), '203.0.113.9')
    assert.equal(await addressOf({ kind: 'unix' }, {}), 'local')
  })

  it('falls back to the last known hop when the header is malformed, 100 times (L-27)', async () => {
    const bad = [
      '',
      ' ',
      ',',
      ', ,',
      'unknown',
      '_hidden',
      '"',
      '""',
      '-',
      '*',
      '0',
      '1',
      '127.1',
      '0x7f.0.0.1',
      '1.2.3',
      '1.2.3.4.5',
    ]
    const addresses = [
      '256.1.1.1',
      '1.2.3.4/32',
      '1.2.3.4:80',
      '[::1]',
      '[::1]:80',
      '::1%eth0x y',
      ':::1',
      '1::2::3',
      'g::1',
      '01.2.3.4',
    ]
    const texts = [
      'localhost',
      'example.com',
      "' or 1=1--",
      '<script>',
      '%00',
      '../../etc',
      'for=1.2.3.4',
      'null',
      'undefined',
      'NaN',
    ]
    const long = [
      'x'.repeat(2000),
      '1,'.repeat(500),
      `${'9'.repeat(300)}.1.1.1`,
      '1.2.3.4 5.6.7.8',
      '1.2.3.4;5.6.7.8',
    ]
    const malformed = [...bad, ...addresses, ...texts, ...long]
    const all = [
      ...malformed,
      ...malformed.map((value) => `203.0.113.9, ${value}`),
      ...malformed.map((v) => `${v},x`),
    ]
    assert.ok(all.length >= 100, String(all.length))
    for (const value of all) {
      assert.equal(await addressOf(tcp(PROXY), forwarded(value)), PROXY, value)
    }
    for (const value of malformed) {
      assert.equal(await addressOf(tcp(PROXY), forwarded(`${value}, ${SECOND}`)), SECOND, value)
    }
  })

  it('is told by no other header, from anybody (FT-HDR-1)', async () => {
    const names = [
      'forwarded',
      'x-real-ip',
      'true-client-ip',
      'cf-connecting-ip',
      'x-client-ip',
      'client-ip',
      'via',
    ]
    const more = [
      'x-cluster-client-ip',
      'x-originating-ip',
      'x-remote-addr',
      'x_forwarded_for',
      'x-forwarded',
      'remote-addr',
    ]
    for (const name of [
      ...names,
      ...more,
      'x-forwarded-for-original',
      'x-original-forwarded-for',
      'fastly-client-ip',
    ]) {
      for (const value of ['198.51.100.1', 'for=198.51.100.1', '"198.51.100.1"']) {
        assert.equal(await addressOf(tcp(PROXY), { [name]: value }), PROXY)
        assert.equal(
          await addressOf(tcp(PROXY), { ...forwarded('203.0.113.9'), [name]: value }),
          '203.0.113.9',
        )
      }
    }
  })

  it('decides whose budget an attempt counts against (L-26, L-32)', async () => {
    const small = await startWorld({ config: { throttle: { networkLimit: 10 } } })
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      const browser = small.browser({ address: '203.0.113.50' })
      const fields = { username: `spoof${i}`, password: 'wrong' }
      statuses.push((await browser.post('/auth/login/', fields, forwarded(`198.51.100.${i}`))).status)
    }
    assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
    await small.close()
  })
})

describe('what a client says of itself (SEC-PXY-2, L-38, L-40, L-44)', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  const claims = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '80',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-uri': '/auth/session/',
    'x-original-uri': '/healthz',
    'x-original-url': '/healthz',
    'x-rewrite-url': '/healthz',
    forwarded: 'host=evil.example;proto=http',
    'x-remote-user': 'alice',
    'remote-user': 'alice',
    x_remote_user: 'alice',
    'x-watchword-user': 'alice',
    'x-authenticated-user': 'alice',
    'x-user-id': '1',
    authorization: 'Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==',
  }

  it('signs nobody in (SEC-AUTH-4, L-04)', async () => {
    await world.enrolled('alice')
    for (const [name, value] of [...Object.entries(claims), ['authorization', 'Bearer alice'] as const]) {
      const reply = await world.browser().get('/auth/session/', { [name]: value })
      assert.equal(reply.status, 401, name)
      assert.equal(reply.headers.get('www-authenticate'), null)
    }
  })

  it('changes nothing in any answer, from the first request on', async () => {
    const fresh = await startWorld()
    let claimants = 0
    const steps = async (headers: Record<string, string>) => {
      const username = `claimant${++claimants}`
      await fresh.user(username)
      const browser = fresh.browser()
      const login = await browser.post('/auth/login/', { username, password: PASSWORD }, headers)
      const secret = await browser.post('/auth/register-secret/', undefined, headers)
      const document = await browser.get('/openapi.json', headers)
      const known = [...login.headers].filter(([name]) => !['x-request-id', 'set-cookie'].includes(name))
      const cookies = login.setCookies.map((line) => line.replace(/=[\w-]{43}/, ''))
      const uri = new URL(secret.body.otpauth_uri)
      return JSON.stringify([login.body, known, cookies, uri.searchParams.get('issuer'), document.text])
    }
    const hostile: string[] = []
    for (const [name, value] of Object.entries(claims)) hostile.push(await steps({ [name]: value }))
    const plain = await steps({})
    for (const [index, answers] of hostile.entries()) assert.equal(answers, plain, `claim ${index}`)
    await fresh.close()
  })

  it('keeps the cookie Secure even over a connection that claims to be plain', async () => {
    const user = await world.enrolled('plainclaim')
    assert.equal(await isSignedIn(user.browser), true)
    const headers = { 'x-forwarded-proto': 'http', 'x-forwarded-ssl': 'off' }
    const reply = await world
      .browser()
      .post('/auth/login/', { username: 'plainclaim', password: PASSWORD }, headers)
    assert.match(reply.setCookies[0] ?? '', /^__Host-.*; Secure$/)
  })
})
