import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashParametersOf, needsRehash } from '../../src/domain/password/hash-parameters.ts'
import {
  explainPassword,
  isPasswordTooLong,
  normalizePassword,
  type PasswordLists,
  type PasswordProblem,
  type PasswordRules,
  passwordProblem,
} from '../../src/domain/password/policy.ts'

const rules: PasswordRules = {
  minimumLength: 8,
  minimumLengthAlone: 15,
  barredWords: ['Springfield', 'ACME'],
}
const lists: PasswordLists = {
  isCommon: (password) =>
    ['password1', 'letmein99', 'ｐａｓｓｗｏｒｄ２', 'correct horse battery'].includes(password),
  isBreached: (password) => password === 'was leaked once',
}

const about = { usernames: ['Grace.Hopper', 'Grace Hopper'], opensAlone: false }
const kindOf = (typed: string, more: Partial<typeof about> = {}) =>
  passwordProblem(typed, { ...about, ...more }, rules, lists)?.kind

describe('a new password', () => {
  it('needs 8 characters, and 15 where it can open a session alone (SEC-PW-1)', () => {
    assert.deepEqual(passwordProblem('a7#kq2x', about, rules, lists), { kind: 'too-short', minimum: 8 })
    assert.equal(kindOf('a7#kq2xy'), undefined)
    const alone = { ...about, opensAlone: true }
    assert.deepEqual(passwordProblem('a7#kq2xyz-4m5n', alone, rules, lists), {
      kind: 'too-short',
      minimum: 15,
    })
    assert.equal(kindOf('a7#kq2xyz-4m5nb', { opensAlone: true }), undefined)
  })

  it('is measured in characters as people see them, after composition (SEC-PW-4)', () => {
    // Seven letters in fourteen code points, and eight that take two units each.
    assert.equal(kindOf('e\u0301'.repeat(7)), 'too-short')
    assert.equal(kindOf('😀😁😂🤣😃😄😅'), 'too-short')
    assert.equal(kindOf('😀😁😂🤣😃😄😅😆'), undefined)
  })

  it('may have anything in it, and is never cut or changed but for NFC (SEC-PW-3, SEC-PW-4)', () => {
    for (const typed of [
      '        x',
      'ключ от двери',
      'tab\tand\u0000nul!',
      '\u200b'.repeat(8),
      '漢字漢字漢字漢字',
    ]) {
      assert.equal(kindOf(typed), undefined, JSON.stringify(typed))
    }
    assert.equal(normalizePassword(' Ａ ﬁ e\u0301 '), ' Ａ ﬁ \u00e9 ')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        assert.equal(normalizePassword(normalizePassword(typed)), normalizePassword(typed))
        assert.equal(normalizePassword(typed.normalize('NFD')), normalizePassword(typed.normalize('NFC')))
      }),
    )
  })

  it('may be as long as 256 characters and 1,024 bytes, and is refused beyond (SEC-PW-2)', () => {
    assert.equal(kindOf('x'.repeat(256)), undefined)
    assert.equal(kindOf('x'.repeat(257)), 'too-long')
    assert.equal(kindOf('漢'.repeat(256)), undefined)
    assert.equal(kindOf('😀'.repeat(256)), undefined)
    assert.equal(kindOf('😀'.repeat(257)), 'too-long')
    assert.equal(isPasswordTooLong('e\u0301'.repeat(256)), false)
    assert.equal(isPasswordTooLong('e\u0301'.repeat(257)), true)
    // Composition may make a text longer: what counts is what is hashed.
    assert.equal(isPasswordTooLong('\u0958'.repeat(256)), true)
  })

  it('is none that everybody tries, in any case or width (SEC-PW-5)', () => {
    for (const typed of [
      'password1',
      'PassWord1',
      'ｐａｓｓｗｏｒｄ１',
      'LETMEIN99',
      'Correct Horse Battery',
    ]) {
      assert.equal(kindOf(typed), 'common', typed)
    }
    assert.equal(kindOf('password1 and more'), undefined)
    assert.equal(kindOf('was leaked once'), 'breached')
    assert.equal(kindOf('was leaked once?'), undefined)
  })

  it('is no word of the place with something around it (SEC-PW-6)', () => {
    for (const typed of [
      ...[
        'Springfield',
        'springfield2026',
        '2026SPRINGFIELD!',
        'acme12345',
        '!!!ACME!!!',
        'grace.hopper',
        'Grace Hopper1',
      ],
      ...['watchword', 'Watchword2026', '***watchword***'],
    ]) {
      assert.equal(kindOf(typed), 'site-word', typed)
    }
    for (const typed of ['springfield elementary', 'acmetropolis', 'gracehopperville']) {
      assert.equal(kindOf(typed), undefined, typed)
    }
  })

  it('may be of digits and signs only: that is no word', () => {
    assert.equal(kindOf('8203-5541-7790', { usernames: ['007'] }), undefined)
    assert.equal(kindOf('!"§$%&/()=?', { usernames: [] }), undefined)
  })

  it('is told why not in a sentence that helps (SEC-PW-12)', () => {
    const problems: readonly PasswordProblem[] = [
      { kind: 'too-short', minimum: 15 },
      { kind: 'too-long' },
      { kind: 'common' },
      { kind: 'breached' },
      { kind: 'site-word' },
      { kind: 'unchanged' },
    ]
    for (const problem of problems)
      assert.match(explainPassword(problem), /^(?:Use at|This password|This is).*\.$/)
    assert.match(explainPassword({ kind: 'too-short', minimum: 15 }), /15 characters/)
  })
})

describe('the cost of a stored hash', () => {
  const tail = '$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'
  const of = (cost: string) => `$argon2id$v=19$${cost}${tail}`

  it('is read from the PHC string', () => {
    assert.deepEqual(hashParametersOf(of('m=19456,t=2,p=1')), {
      memoryKib: 19_456,
      passes: 2,
      parallelism: 1,
    })
  })

  it('is nothing for what is not argon2id in that form', () => {
    for (const text of [
      ...['', 'x', '$2b$12$abcdefghijklmnopqrstuv', 'pbkdf2_sha256$1000000$salt$hash', of('m=19456,t=2')],
      ...[
        of('m=-1,t=2,p=1'),
        of('m=1e9,t=2,p=1'),
        of('t=2,m=19456,p=1'),
        ` ${of('m=8,t=1,p=1')}`,
        `${of('m=8,t=1,p=1')}\n`,
      ],
      of('m=19456,t=2,p=1').replace('argon2id', 'argon2i'),
      of('m=19456,t=2,p=1').replace('v=19', 'v=16'),
    ]) {
      assert.equal(hashParametersOf(text), undefined, text)
      assert.equal(needsRehash(text, { memoryKib: 19_456, passes: 2, parallelism: 1 }), true)
    }
  })

  it('calls for another hash whenever it is not what is wanted, dearer or cheaper (SEC-PW-11)', () => {
    const wanted = { memoryKib: 19_456, passes: 2, parallelism: 1 }
    assert.equal(needsRehash(of('m=19456,t=2,p=1'), wanted), false)
    for (const cost of ['m=19455,t=2,p=1', 'm=65536,t=2,p=1', 'm=19456,t=1,p=1', 'm=19456,t=2,p=2']) {
      assert.equal(needsRehash(of(cost), wanted), true, cost)
    }
  })
})
