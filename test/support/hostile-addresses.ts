import fc from 'fast-check'

/** The host that hostile addresses lead to; nothing answers there. */
const EVIL = 'evil.example'

/** Addresses that some reader, browser or server takes for another host or for a script, ours being `own`. */
function known(own: string): readonly string[] {
  const host = new URL(own).host
  const leads = [
    ...[
      '//',
      '///',
      '////',
      '/\\',
      '\\\\',
      '\\/',
      '/\\/',
      '//\\',
      '/\t/',
      '/\n/',
      '/\r/',
      '\t//',
      ' //',
      '//\t',
    ],
    ...['https:', 'https:/', 'https://', 'https:///', 'https:\\\\', 'HTTPS://', 'hTTp://', 'http:', 'ftp://'],
    ...[
      '/./\\',
      '/.//',
      '/..//',
      '/././/',
      '/a/..//',
      '/%2e//',
      '/%2e%2e//',
      '/%2E%2e/%2e//',
      '/.%2e//',
      '/;/..//',
    ],
    ...[
      '/%2f',
      '/%2F%2f',
      '//%2f',
      '/%5c',
      '/%5C%5C',
      '/%09/',
      '/%0a/',
      '/%0d%0a//',
      '%2f%2f',
      '%5c%5c',
      '/%00/',
    ],
    ...[
      '/\u2044/',
      '/\uff0f',
      '\uff0f\uff0f',
      '/\u2215/',
      '/\ufe68',
      '\u3000//',
      '\u00a0//',
      '\ufeff//',
      '/\u200b/',
    ],
    ...['@', '.', ':', ':80@', '//@', '//:@', '//x@', '?//', '#//', '/?//', '/#//', ';//', '/login//', '/;@'],
    ...[
      `//${host}@`,
      `//${host}:x@`,
      `${own}@`,
      `${own}.`,
      `${own}:x@`,
      `${own}%40`,
      `${own}\\@`,
      `${own}/\\`,
    ],
    ...[`//${host}.`, `${own}\t@`, `${own}%00.`, `${own}\u0000.`, `https://${host}\u3002`, `blob:${own}/`],
    ...[
      'view-source:https://',
      'filesystem:https://',
      'intent://',
      'ws://',
      'file://',
      'mailto:x@',
      'about:blank#',
    ],
  ]
  const trails = ['', '/', `/${host}`, `?${own}`, `#${own}`, `\\@${host}`, `%2f@${host}`, `:443/login`]
  const scripts = [
    ...['javascript:alert(1)', 'JAVASCRIPT:alert(1)', 'java\tscript:alert(1)', '\u0001javascript:alert(1)'],
    ...['javascript://%0aalert(1)', `javascript://${host}/%0aalert(1)`, '/javascript:alert(1)', 'vbscript:x'],
    ...[
      'data:text/html,<script>alert(1)</script>',
      'data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==',
    ],
    ...[
      '/login\r\nLocation: https://evil.example/',
      '/login%0d%0aLocation:%20https://evil.example/',
      '//',
      '/\\',
      '',
    ],
  ]
  return [...scripts, ...trails.flatMap((trail) => leads.map((lead) => `${lead}${EVIL}${trail}`))]
}

/** This many different addresses to go back to that lead away from `own` for somebody; each call gives the same ones. */
export function hostileAddresses(count: number, own: string): readonly string[] {
  const host = new URL(own).host
  const parts = fc.constantFrom(
    ...[
      '/',
      '\\',
      '.',
      '..',
      ':',
      '@',
      '?',
      '#',
      '%2f',
      '%5c',
      '%09',
      '%00',
      '\t',
      '\n',
      ' ',
      ';',
      '&',
      '%25',
      '%2e',
    ],
    ...[
      'https:',
      'http:',
      'javascript:',
      'data:',
      '\uff0f',
      '\u3002',
      '\u200b',
      '\u0000',
      '[',
      ']',
      host,
      EVIL,
    ],
  )
  const made = fc
    .array(parts, { minLength: 1, maxLength: 6 })
    .map((list) => `${list.join('')}${EVIL}`)
    .filter((text) => text.isWellFormed())
  const each = [...new Set([...known(own), ...fc.sample(made, { seed: 11, numRuns: count * 2 })])]
  // A part of the known ones and of the made ones, whatever the count.
  const stride = each.length / count
  return stride <= 1
    ? each
    : Array.from({ length: count }, (_, index) => each[Math.floor(index * stride)] ?? '')
}
