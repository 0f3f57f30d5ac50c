import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { normalizeUsername, type UsernameProblem, usernameProblem } from '../../src/domain/user.ts'

const inEveryPlace = (character: string) => [
  character,
  `${character}admin`,
  `ad${character}min`,
  `admin${character}`,
]

describe('a username is refused (SEC-INP-7)', () => {
  const refused: Record<string, readonly [UsernameProblem, readonly string[]]> = {
    'when it is empty': ['empty', ['']],
    'with a space around it': [
      'surrounding-space',
      [
        ' admin',
        'admin ',
        'admin\t',
        'admin\n',
        '\u3000admin',
        'admin\u00a0',
        'admin\ufeff',
        ' ',
        'admin\u2028',
      ],
    ],
    'with a full stop at its end': ['trailing-dot', ['admin.', 'admin..', '.']],
    'with a sign that options and paths begin with': [
      'trailing-dot',
      ['.admin', '-admin', '@admin', '+admin', '--help', '..'],
    ],
    'of Latin beside Cyrillic': ['mixed-scripts', ['аdmin', 'admіn', 'admiп', 'pаypal', 'Аlice']],
    'of Latin beside Greek': ['mixed-scripts', ['αdmin', 'admιn', 'aliceο', 'νick']],
    'of Latin beside Armenian, Hebrew, Arabic, Georgian, Thai or Hangul': [
      'mixed-scripts',
      ['admiո', 'oօ', 'adminו', 'adminا', 'adminა', 'adminเ', 'admin한'],
    ],
    'of Latin beside Chinese or Japanese': ['mixed-scripts', ['admin工', 'adminロ', 'adminか', '二b']],
    'of Cyrillic beside Greek': ['mixed-scripts', ['аλ', 'πи']],
    'of a script that is not listed': [
      'forbidden-character',
      ['Ꭺdmin', 'ⲁdmin', '𐌰', 'ᎠᎡ', 'ꓮ', 'ᱚᱛ', '𐐀', 'ᠠ'],
    ],
    'of digits that are not those of ASCII': ['forbidden-character', ['admin١', 'b٥b', 'علي١', 'a६', 'a１']],
    'of a combining mark without a letter before it': [
      'forbidden-character',
      ['\u0301admin', '\u0307', '\u0316\u0301a'],
    ],
  }
  for (const [what, [problem, names]] of Object.entries(refused)) {
    it(what, () => {
      for (const name of names) assert.equal(usernameProblem(name), problem, JSON.stringify(name))
    })
  }

  it('with any ASCII sign but . _ - @ +', () => {
    for (let code = 0; code < 0x80; code++) {
      const character = String.fromCharCode(code)
      const allowed = /[A-Za-z0-9._@+-]/.test(character)
      assert.equal(usernameProblem(`a${character}b`) === undefined, allowed, `${code}`)
    }
  })

  it('with a colon, percent sign, slash or quote, also one that folding would make', () => {
    for (const character of [...':%/\\"\'<>&;,#?=|*', ...'：％／＼＂＜＞＆；，﹕﹪℀℅⁄∕']) {
      for (const name of inEveryPlace(character)) assert.notEqual(usernameProblem(name), undefined, name)
    }
  })

  it('with a control character, a lone surrogate, or a code point that is for nobody', () => {
    const controls = Array.from({ length: 0xa0 }, (_, code) => code).filter(
      (code) => code < 32 || code >= 0x7f,
    )
    const others = [0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffe, 0xffff, 0xfffd, 0xe000, 0x10ffff, 0x378]
    for (const code of [...controls, ...others]) {
      for (const name of inEveryPlace(String.fromCodePoint(code))) {
        assert.notEqual(usernameProblem(name), undefined, code.toString(16))
      }
    }
  })

  it('with anything that does not show or turns the direction of writing', () => {
    const invisible = /\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{Z}/u
    const mustBeAmong = [
      ...[0x200b, 0x200c, 0x200d, 0x2060, 0xfeff, 0x00ad, 0x180e],
      ...[0x200e, 0x200f, 0x061c, 0x202a, 0x202d, 0x202e, 0x2066, 0x2069],
      ...[0x034f, 0xfe00, 0xfe0f, 0xe0100, 0xe01ef, 0x115f, 0x1160, 0x3164, 0xffa0, 0xe0041],
    ]
    for (const code of mustBeAmong) assert.match(String.fromCodePoint(code), invisible, code.toString(16))
    let count = 0
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code)
      if (!invisible.test(character)) continue
      count++
      for (const name of [...inEveryPlace(character), `김${character}`]) {
        if (usernameProblem(name) === undefined)
          assert.fail(`${code.toString(16)} in ${JSON.stringify(name)}`)
      }
    }
    assert.ok(count > 4000)
  })

  it('with a sign that only folding would make a letter, a digit or an allowed sign', () => {
    for (const name of ['a①', '㎏', 'aⅻⒶ', 'a․b', 'a⁺b', 'a＠b', 'a．b', 'a²', '㍿', '℀b']) {
      assert.equal(usernameProblem(name), 'forbidden-character', name)
    }
  })

  it('with symbols, pictures and numbers that are no digits', () => {
    for (const character of [...'€✓😀½↑★°´`^~¨Ⅻ', '👩\u200d💻', '1\ufe0f\u20e3']) {
      const name = `a${character}`
      if (normalizeUsername(name) === 'axii') continue
      assert.equal(usernameProblem(name), 'forbidden-character', name)
    }
  })
})

describe('what looks like another name (SEC-INP-7)', () => {
  it('is that very account or refused, never a second one', () => {
    const looksLikeAdmin = [
      ...[
        'Admin',
        'ADMIN',
        'ADMİN',
        'admın',
        'adm\u0131n',
        'admi\u0307n',
        'ａｄｍｉｎ',
        '𝒶𝒹𝓂𝒾𝓃',
        'ⓐdmin',
        'ªdmin',
      ],
      ...['аdmin', 'αdmin', 'admіn', 'admiп', 'admiո', 'Ꭺdmin', 'аԁміn', 'ａdмin', 'adⅿin', 'admⅰn'],
      ...[
        'admin.',
        'admin ',
        ' admin',
        'admin\u00a0',
        'admin\t',
        'admin\n',
        'admin\0',
        'admin:',
        'admin/',
        'admin%20',
      ],
      ...[
        'ad\u200bmin',
        'ad\u200cmin',
        'ad\u200dmin',
        'ad\u00admin',
        'ad\u2060min',
        '\ufeffadmin',
        'admin\u200e',
      ],
      ...[
        '\u202enimda',
        '\u202dadmin',
        'admin\u200f',
        'admin\ufe0f',
        'admin\ufe00',
        'ad\u034fmin',
        'admin\u{e0100}',
      ],
      ...['admin\u3164', 'admin\u115f', 'admin\uffa0', 'admin\u180b', 'admin\u061c', 'admin\u{1d173}'],
    ]
    assert.equal(usernameProblem('admin'), undefined)
    for (const name of looksLikeAdmin) {
      const same = normalizeUsername(name) === 'admin'
      assert.ok(same || usernameProblem(name) !== undefined, JSON.stringify(name))
    }
  })
})
