import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { openPasswordLists } from '../../src/crypto/password-lists.ts'
import { type PasswordLists, passwordProblem } from '../../src/domain/password/policy.ts'
import { newFolder } from './key-folder.ts'

const { dictionary }: typeof import('@zxcvbn-ts/language-common') = createRequire(import.meta.url)(
  '@zxcvbn-ts/language-common',
)
const entries = dictionary['passwords-common'].map(String)
const rules = { minimumLength: 8, minimumLengthAlone: 15, barredWords: [] }
const problem = (password: string, lists: PasswordLists) =>
  passwordProblem(password, { usernames: ['alice'], opensAlone: false }, rules, lists)?.kind

describe('the list of common passwords (SEC-PW-5)', () => {
  const longEnough = entries.filter((entry) => entry.length >= 8 && entry !== 'watchword')
  const sample = Array.from(
    { length: 500 },
    (_, i) => longEnough[Math.floor((i * longEnough.length) / 500)] ?? '',
  )
  const lists = openPasswordLists(undefined)

  it('has at least 3,000 that nothing else would refuse', () => {
    const none = { isCommon: () => false, isBreached: () => false }
    assert.ok(longEnough.filter((entry) => problem(entry, none) === undefined).length >= 3000)
  })

  it('refuses 500 of its entries, and the shortest ones as well', () => {
    assert.equal(new Set(sample).size, 500)
    for (const entry of sample) assert.equal(problem(entry, lists), 'common', entry)
    for (const entry of ['123456', 'password', 'qwerty']) assert.equal(lists.isCommon(entry), true, entry)
  })

  it('refuses them in capitals and in full-width letters too', () => {
    const fullWidth = (text: string) =>
      text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))
    for (const entry of sample.slice(0, 100)) {
      assert.equal(problem(entry.toUpperCase(), lists), 'common', entry)
      assert.equal(problem(fullWidth(entry), lists), 'common', entry)
    }
  })

  it('accepts what is only near to an entry: it is compared as a whole', () => {
    const known = new Set(entries)
    let accepted = 0
    for (const entry of sample) {
      const middle = entry.length >> 1
      for (const near of [
        `${entry}~${entry.length}`,
        `§${entry}`,
        ` ${entry}`,
        `${entry} `,
        `${entry.slice(0, middle)}~${entry.slice(middle)}`,
        `${entry} ${entry}`,
      ]) {
        if (known.has(near)) continue
        assert.equal(problem(near, lists), undefined, JSON.stringify(near))
        accepted++
      }
    }
    assert.ok(accepted > 2900, `${accepted} near misses`)
  })

  it('says nothing about leaks where no list of them is given', () => {
    for (const entry of sample) assert.equal(lists.isBreached(entry), false)
  })
})

interface Format {
  readonly count: boolean
  readonly ending: '\n' | '\r\n'
  readonly upper: boolean
  readonly finalEnding: boolean
}

const formats: readonly Format[] = [true, false].flatMap((count) =>
  (['\n', '\r\n'] as const).flatMap((ending) =>
    [true, false].flatMap((upper) =>
      [true, false].map((finalEnding) => ({ count, ending, upper, finalEnding })),
    ),
  ),
)

const sha1 = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase()

/** Passwords in the order of their hashes. */
const sortedPasswords = (count: number) =>
  Array.from({ length: count }, (_, i) => `password number ${i}`).sort((a, b) => (sha1(a) < sha1(b) ? -1 : 1))

function listOf(t: TestContext, passwords: readonly string[], format: Format): PasswordLists {
  const lines = passwords.map((password, i) => {
    const hash = format.upper ? sha1(password) : sha1(password).toLowerCase()
    // Counts from one digit to eight, so that lines differ in length.
    return format.count ? `${hash}:${10 ** (i % 8)}` : hash
  })
  const text = lines.join(format.ending) + (format.finalEnding && lines.length > 0 ? format.ending : '')
  const path = join(newFolder(t), 'hashes.txt')
  writeFileSync(path, text)
  return openPasswordLists(path)
}

describe('a file of leaked passwords (SEC-PW-5)', () => {
  const plain: Format = { count: true, ending: '\r\n', upper: true, finalEnding: true }

  for (const format of formats) {
    const { count, ending, upper, finalEnding } = format
    const what = [
      upper ? 'upper case' : 'lower case',
      count ? 'with counts' : 'without counts',
      ending === '\n' ? 'LF' : 'CRLF',
      finalEnding ? 'with a last line end' : 'without a last line end',
    ].join(', ')
    it(`of no line to thirty has its own lines and none between them (${what})`, (t) => {
      for (const lines of [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 30]) {
        const passwords = sortedPasswords(2 * lines + 1)
        const inside = passwords.filter((_, i) => i % 2 === 1)
        const outside = passwords.filter((_, i) => i % 2 === 0)
        const lists = listOf(t, inside, format)
        for (const [i, password] of inside.entries()) {
          assert.equal(lists.isBreached(password), true, `line ${i} of ${lines}`)
        }
        for (const [i, password] of outside.entries()) {
          assert.equal(lists.isBreached(password), false, `before line ${i} of ${lines}`)
        }
      }
    })
  }

  it('of 10,000 lines agrees with a set', (t) => {
    const passwords = sortedPasswords(12_000)
    const inside = passwords.filter((_, i) => i % 6 !== 0)
    const known = new Set(inside)
    assert.equal(known.size, 10_000)
    const lists = listOf(t, inside, plain)
    for (const password of passwords) assert.equal(lists.isBreached(password), known.has(password), password)
  })

  it('is asked by the rules, about the composed form of what was typed', (t) => {
    const leaked = 'Zürich im Schnee'.normalize('NFC')
    const lists = listOf(t, [leaked], plain)
    assert.equal(problem(leaked, lists), 'breached')
    assert.equal(problem(leaked.normalize('NFD'), lists), 'breached')
    assert.equal(problem(`${leaked}!`, lists), undefined)
    assert.equal(problem(leaked.toUpperCase(), lists), undefined)
  })

  it('does not take the end or the beginning of a hash for the hash', (t) => {
    const [first = '', second = ''] = sortedPasswords(2)
    const path = join(newFolder(t), 'hashes.txt')
    writeFileSync(path, `${sha1(first).slice(0, 39)}\n${sha1(second).slice(1)}:${sha1(first)}\n`)
    const lists = openPasswordLists(path)
    assert.equal(lists.isBreached(first), false)
    assert.equal(lists.isBreached(second), false)
  })

  it('that is not there is a fault, not a free pass', (t) => {
    const lists = openPasswordLists(join(newFolder(t), 'missing.txt'))
    assert.throws(() => lists.isBreached('password'), { code: 'ENOENT' })
  })
})
