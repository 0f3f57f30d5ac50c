import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { unlockUser } from '../../src/actions/unlock-user.ts'
import { type Browser, type Enrolled, PASSWORD, startWorld, type World } from '../world.ts'
import { charged, errorOf, halfSignedIn, operator, signIn, stranger } from './journeys.ts'

/** Spaces, marks that nobody sees, and hyphens of Unicode. */
const unicode =
  '\t\n\r\v\f\0\u0085\u00a0\u00ad\u1680\u2003\u2007\u2009\u200b\u200c\u200d\u2010\u2011\u2012\u2013\u2014' +
  '\u2028\u202e\u202f\u205f\u2060\u2212\u3000\ufe63\ufeff\uff0b\uff0d'

/** Other writings of the same digits: some are the code itself to a person, all of them are to a careless parser. */
function spellings(code: string): string[] {
  const signs = [...unicode, ...' +-_.,\'"`/\\%&#0()*!:;=', '00', '0x', '0b']
  const around = signs.flatMap((sign) => [
    `${sign}${code}`,
    `${code}${sign}`,
    `${code.slice(0, 3)}${sign}${code.slice(3)}`,
  ])
  const zeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7f6]
  const digits = zeros.flatMap((zero) => [
    [...code].map((digit) => String.fromCodePoint(zero + Number(digit))).join(''),
    `${code.slice(0, 5)}${String.fromCodePoint(zero + Number(code[5]))}`,
  ])
  const numbers = [
    `${code}.0`,
    `${code}e0`,
    `1${code}`,
    `${code}n`,
    Number(code).toString(16),
    `${Number(code)}.`,
  ]
  const joined = [
    `${code}${code}`,
    `${code} ${code}`,
    `${code},${code}`,
    [...code].reverse().join(''),
    code.slice(1),
  ]
  const grouped = [
    [...code].join(' '),
    [...code].join('-'),
    `  ${code}  `,
    `- ${code} -`,
    code.slice(0, 5),
    '',
  ]
  const escaped = [...code].map((d) => `%3${d}`).join('')
  return [...new Set([...around, ...digits, ...numbers, ...joined, ...grouped, escaped, `${code}\u0301`])]
}

describe('spellings of a used code (SEC-OTP-5, L-14)', () => {
  let world: World
  let user: Enrolled
  let used: string
  let half: Browser
  before(async () => {
    world = await startWorld()
    user = await world.enrolled('vera')
    used = user.phone.code()
    await signIn(world, user)
    half = await halfSignedIn(world, 'vera')
  })
  after(() => world.close())

  const send = async (otp: unknown, browser = half) => {
    await unlockUser(world.services, 'vera', operator)
    return browser.post('/auth/verify/', { otp })
  }

  it('are 200 and more, none is accepted, and those that are no code are charged', async () => {
    const all = spellings(used).filter((text) => text !== used)
    assert.ok(all.length >= 200, String(all.length))
    for (const otp of all) {
      const reply = await send(otp)
      assert.deepEqual(errorOf(reply), [400, 'invalid_otp'], JSON.stringify(otp))
      const isTheCode = otp.replace(/[ -]/g, '') === used
      assert.equal(await charged(world, user.id), isTheCode ? 0 : 1, JSON.stringify(otp))
    }
  })

  it('are refused together with the password as well (L-15)', async () => {
    for (const otp of spellings(used)) {
      await unlockUser(world.services, 'vera', operator)
      const reply = await stranger(world).post('/auth/authenticate/', {
        username: 'vera',
        password: PASSWORD,
        otp,
      })
      assert.deepEqual(errorOf(reply), [400, 'invalid_otp'], JSON.stringify(otp))
    }
  })

  it('share one budget: with a new spelling each time the sixth is not looked at', async () => {
    await unlockUser(world.services, 'vera', operator)
    const wrong = spellings('000000').filter((text) => text.replace(/[ -]/g, '') !== '000000')
    for (const otp of wrong.slice(0, 5)) {
      assert.equal((await half.post('/auth/verify/', { otp })).status, 400)
    }
    for (const otp of wrong.slice(5, 60)) {
      assert.equal((await half.post('/auth/verify/', { otp })).status, 429)
    }
  })

  it('of another JSON type are no request, and cost nothing', async () => {
    const types: unknown[] = [
      Number(used),
      [used],
      [[used]],
      { otp: used },
      { toString: used },
      true,
      false,
      null,
    ]
    for (const otp of [...types, Number(used) + 0.5, -Number(used), [Number(used)], [used, used]]) {
      assert.deepEqual(errorOf(await send(otp)), [400, 'invalid_request'], JSON.stringify(otp))
      assert.equal(await charged(world, user.id), 0)
    }
  })

  it('longer than 64 characters are no request, and cost nothing', async () => {
    assert.deepEqual(errorOf(await send(used + ' '.repeat(58))), [400, 'invalid_otp'])
    assert.deepEqual(errorOf(await send(used + ' '.repeat(59))), [400, 'invalid_request'])
    assert.equal(await charged(world, user.id), 0)
  })
})

describe('an unused code', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  it('is taken in groups, as apps show it and people copy it', async () => {
    const user = await world.enrolled('grouped')
    for (const group of [
      (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`,
      (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`,
      (code: string) => ` ${code} `,
    ]) {
      const otp = group(user.phone.code())
      const reply = await stranger(world).post('/auth/authenticate/', {
        username: 'grouped',
        password: PASSWORD,
        otp,
      })
      assert.equal(reply.status, 200, otp)
      world.clock.advance(30)
    }
  })

  it('is not helped by a time that the client sends (SEC-OTP-4)', async () => {
    const { username, phone } = await world.enrolled('liar')
    const otp = phone.code(10)
    const at = new Date((world.clock.now() + 300) * 1000).toUTCString()
    const headers = {
      date: at,
      'x-time': at,
      'if-modified-since': at,
      'x-timestamp': String(world.clock.now() + 300),
    }
    const fields = { username, password: PASSWORD, otp }
    assert.deepEqual(errorOf(await stranger(world).post('/auth/authenticate/', fields, headers)), [
      400,
      'invalid_otp',
    ])
    const reply = await stranger(world).post('/auth/authenticate/', {
      ...fields,
      time: world.clock.now() + 300,
    })
    assert.deepEqual(errorOf(reply), [400, 'invalid_request'])
  })
})
