import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { importOn } from '../support/imports.ts'
import { startWorld, type World } from '../world.ts'

const NOW = 1_800_000_000
const key = '8a2d55707a9084982649dadc04b426a06df19ab2'
const chosen = 'violet anvil under 7 moons'

describe('a move from mod_authn_otp with PINs', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-pins-'))
  const file = join(folder, 'otp.users')
  const write = (pin: string) =>
    writeFileSync(
      file,
      `HOTP/T30 anna ${pin} ${key}\nMOTP fred 5678 ${key}\nHOTP short 123 ${key} 1\nHOTP none - ${key} 1\n`,
    )
  before(async () => {
    write('1234')
    world = await startWorld()
    world.clock.set(NOW)
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  const login = (password: string, browser = world.browser()) =>
    browser.post('/auth/login/', { username: 'anna', password })
  const importUsers = (...words: string[]) => importOn(world, folder)('mod-authn-otp', file, ...words)

  it('takes a PIN only beside the token that came with it, and only when told to (SEC-AUTH-4)', () => {
    assert.match(importUsers('--dry-run').people[0].notes[0], /PIN left out: see --pins/)
    const { people } = importUsers('--pins', '--enrol-anew')
    const lines = people.map(({ details, notes }) => [...details, ...notes].join('; '))
    assert.match(lines[0] ?? '', /^PIN as password until the first sign-in; TOTP "Token"; weak password hash/)
    assert.match(lines[1] ?? '', /^no password; .*PIN left out: there is no token beside it/)
    assert.match(lines[2] ?? '', /^no password; .*PIN left out: it is too short/)
    assert.match(lines[3] ?? '', /^no password; HOTP "Token"$/)
    assert.equal(JSON.stringify(people).includes('1234'), false)
  })

  it('opens nothing by PIN and code before a real password was chosen (SEC-PW-8)', async () => {
    assert.equal((await login('1235')).status, 401)
    const browser = world.browser()
    assert.equal((await login('1234', browser)).body.next, 'totp')
    const otp = execFileSync('oathtool', ['--totp', '--now', `@${NOW}`, key], { encoding: 'utf8' }).trim()
    assert.equal((await browser.post('/auth/verify/', { otp })).body.next, 'new-password')
    assert.equal((await browser.get('/auth/session/')).status, 401)
    assert.equal((await browser.post('/auth/password/', { new_password: '1234' })).status, 400)
    assert.equal((await browser.post('/auth/password/', { new_password: chosen })).body.next, 'done')
    assert.equal((await login('1234')).status, 401)
  })

  it('never puts a PIN in the place of the password that replaced it', async () => {
    write('9999')
    const { people } = importUsers('--pins', '--update')
    assert.equal(people[0].action, 'unchanged')
    assert.equal((await login('9999')).status, 401)
    assert.equal((await login(chosen)).status, 200)
  })
})

/** Written by mod_authn_otp itself (source at 6f2ffb3, shortly before 1.1.7; built without strptime) under Apache 2.4.71, when most had signed in there. */
const written = `HOTP    hanna         4711    82030a32033148ac0d99ffdbf788b7cc4a8a0172 4   0  690606  1795468227 127.0.0.1
HOTP/T30 tom           9182    79c82e47368a7c34e2ef77451b2903b40c82b555 0   0  257523  1795468227 127.0.0.1
HOTP/T30/8 acht          2468    e385d7d777632e096640890fb212f5cf9b511014 0   1  33382924 1795468227 127.0.0.1
HOTP/T30 extern        +       dd551b14b67b799230d55b330a020032276cfb74 0   0  468955  1795468227 127.0.0.1
HOTP/T30 ohne          -       55b8430188e71bdd0db4de93658cfb64d26be289 0   0  294766  1795468227 127.0.0.1
MOTP    mobil         1234    724c16fe2754258f13c72d37ede4ef9e61c30cc3 0   0  7d4f4b  1795468227 127.0.0.1
HOTP/T30 alt           5150    ec75152842977ea9da32a67d9c28993397f33228 -2  0  398471  1795468227 127.0.0.1
hotp/T30 kleinneu - 5b00464b893fc8331759497e202a3d92e8a3988b
HOTP/E/5 kurz          7777    78e81a94cc22cb602c1a6fec101415b7b26f4f89 1   0  54649   1795468227 127.0.0.1
HOTP/T30 zwei          -       d3779dbaef66a64135a23f8ed193ffef96797a02 0   0  178190  1795468227 127.0.0.1
HOTP/T30 zwei          -       d3779dbaef66a64135a23f8ed193ffef96797a02 0   0  178190  1795468227 127.0.0.1
`
const WRITTEN_AT = 1_795_468_227

describe('a move with the file that mod_authn_otp wrote', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-otp-users-'))
  const file = join(folder, 'otp.users')
  before(async () => {
    writeFileSync(file, written)
    world = await startWorld()
    world.clock.set(WRITTEN_AT + 30)
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  const keyOf = (username: string) =>
    written
      .split('\n')
      .find((line) => line.split(/\s+/)[1] === username)
      ?.split(/\s+/)[3] ?? assert.fail(username)
  const oathtool = (...words: string[]) => execFileSync('oathtool', words, { encoding: 'utf8' }).trim()

  it('brings everybody, and says of each line what stays behind', () => {
    const dry = importOn(world, folder)('mod-authn-otp', file, '--pins', '--dry-run')
    const { people } = importOn(world, folder)('mod-authn-otp', file, '--pins')
    const said = people.map(({ username, details, notes }) => [username, ...details, ...notes].join('; '))
    assert.equal(dry.people.length, people.length)
    assert.equal(said.length, 11)
    const of = (username: string) => said.find((line) => line.startsWith(`${username};`)) ?? ''
    assert.match(of('hanna'), /PIN as password until the first sign-in; HOTP "Token"/)
    for (const username of ['tom', 'acht', 'alt']) assert.match(of(username), /PIN as password.*TOTP "Token"/)
    assert.match(of('extern'), /no password; TOTP "Token"; its password is in another file/)
    for (const username of ['ohne', 'kleinneu']) assert.match(of(username), /no password; TOTP "Token"$/)
    assert.match(of('mobil'), /it is of Mobile-OTP/)
    assert.match(of('kurz'), /its codes have 5 digits/)
    // The module writes what it knows of the first line into each line of that name.
    assert.equal(said.filter((line) => line.startsWith('zwei')).length, 2)
  })

  for (const [username, pin, last, ...next] of [
    ['hanna', '4711', '690606', '--hotp', '-c', '4'],
    ['tom', '9182', '257523', '--totp', '--now', `@${WRITTEN_AT + 30}`],
    ['acht', '2468', '33382924', '--totp', '--digits', '8', '--now', `@${WRITTEN_AT + 30}`],
    ['alt', '5150', '398471', '--totp', '--now', `@${WRITTEN_AT - 30}`],
  ] as const) {
    it(`takes up where the module stopped: ${username} (SEC-OTP-2)`, async () => {
      const browser = world.browser()
      assert.equal((await browser.post('/auth/login/', { username, password: pin })).body.next, 'totp')
      assert.equal((await browser.post('/auth/verify/', { otp: last })).status, 400)
      const otp = oathtool(...next, keyOf(username))
      assert.equal((await browser.post('/auth/verify/', { otp })).body.next, 'new-password')
    })
  }
})
