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
