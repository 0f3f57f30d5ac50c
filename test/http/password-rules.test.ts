import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { createUser } from '../../src/actions/create-user.ts'
import { setPassword } from '../../src/actions/set-password.ts'
import { type Browser, PASSWORD, startWorld, type World } from '../world.ts'
import { operator, stranger } from './journeys.ts'

let world: World
let optional: World
let changer: Browser
before(async () => {
  const config = { password: { barredWords: ['Zorblaxia', 'acme corp'] } }
  world = await startWorld({ config })
  optional = await startWorld({ config: { ...config, login: { enrolment: 'optional' } } })
  changer = (await world.enrolled('changer', { displayName: 'Waylon Smithers' })).browser
})
after(async () => {
  await world.close()
  await optional.close()
})

/** Why a person who is signed in may not choose this password; nothing is changed by asking. */
const refusal = async (password: string): Promise<string | undefined> => {
  // With a wrong current password the new one is still judged first.
  const fields = { current_password: 'wrong', new_password: password }
  const { body } = await changer.post('/auth/password/', fields)
  await world.services.db.deleteFrom('attempts').execute()
  return body.code === 'wrong_password' ? undefined : body.code
}

/** Why an account may not be made with this password. */
const refusalAtCreation = async (of: World, password: string, more = {}) => {
  const user = {
    username: `u${++made}`,
    displayName: '',
    isSuperuser: false,
    mustChangePassword: false,
    groups: [],
  }
  const outcome = await createUser(of.services, { ...user, ...more, password }, operator)
  return outcome.kind === 'unsuitable-password' ? outcome.problem.kind : undefined
}
let made = 0

/** Texts of so many code points, after NFC, in very different numbers of bytes and UTF-16 units. */
const ofLength: Record<string, (length: number) => string> = {
  letters: (length) => 'qwzjxkvbpymgfhd'.repeat(2).slice(0, length),
  emoji: (length) => '🦜🧭🪁🫖🧲🪆🛸🦔🪣🧶🦤🪜🧊🪕🫐'.match(/./gu)?.slice(0, length).join('') ?? '',
  'combining marks': (length) => 'q\u0323'.repeat(8).slice(0, length),
  'letters that compose': (length) => 'e\u0301'.repeat(length),
  han: (length) => '龍亀鶴松竹梅桜菊蘭蓮桃杏柿栗梨'.slice(0, length),
}

describe('the shortest password', () => {
  for (const [kind, text] of Object.entries(ofLength)) {
    it(`has 8 characters where a code is demanded, of ${kind} (SEC-PW-1)`, async () => {
      assert.equal(await refusal(text(7)), 'password_too_short')
      assert.equal(await refusal(text(8)), undefined)
      assert.equal(await refusalAtCreation(world, text(7)), 'too-short')
      assert.equal(await refusalAtCreation(world, text(8)), undefined)
    })

    it(`has 15 characters where it may open a session alone, of ${kind} (SEC-PW-1)`, async () => {
      assert.equal(await refusalAtCreation(optional, text(14)), 'too-short')
      assert.equal(await refusalAtCreation(optional, text(15)), undefined)
    })
  }

  it('has 8 for a superuser under any policy, who always needs a code', async () => {
    assert.equal(await refusalAtCreation(optional, 'qwzjxkv', { isSuperuser: true }), 'too-short')
    assert.equal(await refusalAtCreation(optional, 'qwzjxkvb', { isSuperuser: true }), undefined)
  })
})

describe('the longest password', () => {
  it('has 256 characters and 1,024 bytes, and longer ones are refused and never cut (SEC-PW-2)', async () => {
    const long = (length: number) => 'correct horse battery staple '.repeat(12).slice(0, length)
    assert.equal(await refusal(long(256)), undefined)
    assert.equal(await refusal(long(257)), 'invalid_request')
    assert.equal(await refusal('🦜'.repeat(256)), undefined)
    assert.equal(await refusal('🦜'.repeat(257)), 'invalid_request')
    await world.user('long', { password: long(256) })
    const attempt = (password: string) => stranger(world).post('/auth/login/', { username: 'long', password })
    assert.equal((await attempt(long(256))).status, 200)
    assert.equal((await attempt(long(257))).status, 400)
    assert.equal((await attempt(long(255))).status, 401)
  })

  for (const position of [56, 65, 72, 73, 128, 255]) {
    it(`counts its character ${position} (SEC-PW-2)`, async () => {
      const base = 'abcdefghijklmnopqrstuvwxyz'.repeat(10).slice(0, 256)
      const other = `${base.slice(0, position)}#${base.slice(position + 1)}`
      await world.user(`position${position}`, { password: base })
      const attempt = (password: string) =>
        stranger(world).post('/auth/login/', { username: `position${position}`, password })
      assert.equal((await attempt(other)).status, 401)
      assert.equal((await attempt(base.slice(0, position))).status, 401)
      assert.equal((await attempt(base)).status, 200)
    })
  }

  it('counts what comes after a NUL (SEC-PW-2)', async () => {
    await world.user('nul', { password: 'before the nul\0after' })
    const attempt = (password: string) => stranger(world).post('/auth/login/', { username: 'nul', password })
    assert.equal((await attempt('before the nul\0other')).status, 401)
    assert.equal((await attempt('before the nul')).status, 401)
    assert.equal((await attempt('before the nul\0')).status, 401)
    assert.equal((await attempt('before the nul\0after')).status, 200)
  })
})

describe('a password that everybody would try', () => {
  it('is refused: 500 of the list, by every way of setting one (SEC-PW-5)', async () => {
    const { dictionary } = createRequire(import.meta.url)('@zxcvbn-ts/language-common')
    const listed = dictionary['passwords-common'].map(String).filter((text: string) => [...text].length >= 8)
    assert.ok(listed.length >= 3000, `${listed.length} satisfy the policy otherwise`)
    const every = Math.floor(listed.length / 500)
    const sample = listed.filter((_: string, index: number) => index % every === 0).slice(0, 500)
    assert.equal(sample.length, 500)
    for (const password of sample) {
      assert.equal(await refusalAtCreation(world, password), 'common', password)
      const set = { username: 'changer', password, mustChange: false }
      assert.equal((await setPassword(world.services, set, operator)).kind, 'unsuitable', password)
    }
    for (const password of sample.slice(0, 60)) {
      assert.equal(await refusal(password), 'password_common', password)
      assert.equal(await refusal(password.toUpperCase()), 'password_common', password)
    }
  })

  it('is only the whole of it: near misses and phrases are fine', async () => {
    for (const password of [
      'password sunshine horse',
      'Zw-iloveyou-in-a-sentence',
      'qwertyuiop as a phrase',
    ]) {
      assert.equal(await refusal(password), undefined, password)
    }
  })

  it('is one’s own name, or one of the place, with trimmings (SEC-PW-6)', async () => {
    const names = ['changer123', 'CHANGER!!!', '2026changer', 'Waylon Smithers']
    const words = [
      'zorblaxia',
      'Zorblaxia1',
      '!!ZORBLAXIA!!',
      'ＺＯＲＢＬＡＸＩＡ',
      'acme corp 2026',
      'Watchword1!',
    ]
    for (const password of [...names, ...words]) {
      assert.equal(await refusal(password), 'password_site_word', password)
    }
    assert.equal(await refusal('zorblaxia is where changer works'), undefined)
  })

  it('is told apart by a reason and an advice (SEC-PW-12)', async () => {
    const say = async (password: string) =>
      (await changer.post('/auth/password/', { current_password: PASSWORD, new_password: password })).body
        .error
    assert.match(await say('short'), /at least 8 characters; a few unrelated words/)
    assert.match(await say('password123'), /among the most used ones.*Choose another/)
    assert.match(await say('zorblaxia99'), /name that belongs here.*Choose another/)
  })

  it('comes from the operator’s own list as well (SEC-PW-5)', async () => {
    const { createHash } = await import('node:crypto')
    const { writeFileSync } = await import('node:fs')
    const path = `${world.config.keyFile}.breached`
    const leaked = ['a leaked pass phrase', 'another leaked phrase', 'the third leaked one']
    const lines = leaked.map((text) => `${createHash('sha1').update(text).digest('hex').toUpperCase()}:12`)
    writeFileSync(path, `${lines.toSorted().join('\r\n')}\r\n`)
    const strict = await startWorld({ config: { password: { breachedHashes: path } } })
    for (const password of leaked) assert.equal(await refusalAtCreation(strict, password), 'breached')
    assert.equal(await refusalAtCreation(strict, 'a phrase that did not leak'), undefined)
    await strict.close()
  })
})

describe('any characters', () => {
  it('will do, in any mixture (SEC-PW-3)', async () => {
    const blocks = [
      0x21, 0xa1, 0x100, 0x370, 0x400, 0x5d0, 0x620, 0x905, 0xe01, 0x1100, 0x3041, 0x4e00, 0x1f300,
    ]
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647
      return seed % below
    }
    for (let i = 0; i < 60; i++) {
      const text = Array.from({ length: 12 }, () =>
        String.fromCodePoint((blocks[random(13)] ?? 33) + random(40)),
      )
      const password = text.join('')
      const username = `mixture${i}`
      await world.user(username, { password })
      const reply = await stranger(world).post('/auth/login/', { username, password })
      assert.equal(reply.status, 200, JSON.stringify(password))
    }
  })

  it('may be all small letters and spaces (SEC-PW-3)', async () => {
    assert.equal(await refusal('four words in a row'), undefined)
  })
})
