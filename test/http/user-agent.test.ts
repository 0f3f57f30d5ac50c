import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { programOf } from '../../src/http/user-agent.ts'

const like = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const known: readonly (readonly [userAgent: string, browser: string, system: string | undefined])[] = [
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'Linux'],
  ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'Firefox', 'Android'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15',
    'Firefox',
    'iOS',
  ],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${like} Chrome/138.0.0.0 Safari/537.36`, 'Chrome', 'Windows'],
  [`Mozilla/5.0 (X11; Linux x86_64) ${like} HeadlessChrome/138.0.0.0 Safari/537.36`, 'Chrome', 'Linux'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${like} Chrome/138.0.0.0 Safari/537.36`, 'Chrome', 'ChromeOS'],
  [`Mozilla/5.0 (Linux; Android 10; K) ${like} Chrome/138.0.0.0 Mobile Safari/537.36`, 'Chrome', 'Android'],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${like} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0`,
    'Edge',
    'Windows',
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${like} Chrome/137.0.0.0 Safari/537.36 OPR/120.0.0.0`,
    'Opera',
    'Windows',
  ],
  [
    `Mozilla/5.0 (Linux; Android 15; SM-S921B) ${like} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet',
    'Android',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
    'Safari',
    'macOS',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari',
    'iOS',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari',
    'iPadOS',
  ],
  ['Mozilla/5.0 (Unheard Of) Gecko/20100101 Firefox/140.0', 'Firefox', undefined],
]

describe('a browser is called by its name', () => {
  for (const [userAgent, browser, system] of known) {
    it(`${browser} on ${system ?? 'something unknown'}: ${userAgent}`, () => {
      assert.deepEqual(programOf(userAgent), { kind: 'browser', browser, system })
    })
  }
})

describe('what is no known browser', () => {
  it('is shown as it calls itself', () => {
    assert.deepEqual(programOf('curl/8.14.1'), { kind: 'other', text: 'curl/8.14.1' })
    assert.deepEqual(programOf(''), { kind: 'other', text: '' })
  })

  it('is cut between characters', () => {
    assert.deepEqual(programOf('😀'.repeat(61)), { kind: 'other', text: `${'😀'.repeat(60)}…` })
    assert.deepEqual(programOf('😀'.repeat(60)), { kind: 'other', text: '😀'.repeat(60) })
  })

  it('steers nothing that it is shown in', () => {
    assert.deepEqual(programOf('\u202eevil\u0007\u200b agent\r\n'), { kind: 'other', text: 'evil  agent' })
  })
})
