import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setPassword } from '../../src/actions/set-password.ts'
import { commandOn, importOn } from '../support/imports.ts'
import { PASSWORD, startWorld, totp, type World } from '../world.ts'

const NOW = 1_800_000_000

describe('a move from google-authenticator', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-pam-'))
  const home = join(folder, 'home')
  const fileOf = (name: string) => join(home, name, '.google_authenticator')
  const made = (name: string) => readFileSync(fileOf(name), 'utf8').split('\n')
  const make = (name: string, ...flags: string[]) => {
    mkdirSync(join(home, name), { recursive: true })
    const quiet = ['-f', '-q', '-r', '3', '-R', '30', '-w', '3', '-s', fileOf(name)]
    execFileSync('google-authenticator', [...flags, ...quiet])
  }
  before(async () => {
    make('anna', '-t', '-d')
    make('bert', '-c')
    // As the PAM module notes what was used.
    const used = readFileSync(fileOf('anna'), 'utf8').replace('DISALLOW_REUSE', `DISALLOW_REUSE ${NOW / 30}`)
    rmSync(fileOf('anna'), { force: true })
    writeFileSync(fileOf('anna'), used)
    mkdirSync(join(home, 'none'))
    mkdirSync(join(home, 'link'))
    symlinkSync('/etc/passwd', fileOf('link'))
    mkdirSync(join(home, 'huge'))
    appendFileSync(fileOf('huge'), 'A'.repeat(100_000))
    mkdirSync(join(home, 'odd'))
    appendFileSync(fileOf('odd'), Buffer.from([0, 255, 10, 34, 32, 10]))
    world = await startWorld()
    world.clock.set(NOW)
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  const signIn = async (username: string, otp: string) =>
    (await world.browser().post('/auth/authenticate/', { username, password: PASSWORD, otp })).status
  const giveOwnPassword = (username: string) =>
    setPassword(world.services, { username, password: PASSWORD, mustChange: false }, { operator: 'test' })

  it('takes the file of each home over, and follows no link (FT-FUZZ-5)', () => {
    const { people } = importOn(world, folder)('google-authenticator', home)
    const lines = people.map(({ username, action, details, notes }) =>
      [username, action, ...details, ...notes].join('; '),
    )
    assert.deepEqual(lines, [
      'anna; made; no password; TOTP "Authenticator"; one-time codes: 5',
      'bert; made; no password; HOTP "Authenticator"; one-time codes: 5',
      'huge; left-out; the file cannot be read, or is no plain file of that program',
      'link; left-out; the file cannot be read, or is no plain file of that program',
      'odd; made; no password; authenticator left out: its key is not base32; cannot sign in before: watchword user reset-second-factor odd',
    ])
    const { status, stderr } = commandOn(world, folder)('import', 'google-authenticator', join(folder, 'x'))
    assert.deepEqual([status, stderr.includes('cannot be listed')], [1, true])
  })

  it('takes the next code of the same phone, not the one that was used, and each scratch code once', async () => {
    await giveOwnPassword('anna')
    await giveOwnPassword('bert')
    const [secret = '', ...lines] = made('anna')
    const scratch = lines.filter((line) => /^\d{8}$/.test(line))
    assert.equal(await signIn('anna', totp(secret, NOW)), 400)
    assert.equal(await signIn('anna', totp(secret, NOW + 30)), 200)
    assert.equal(await signIn('anna', scratch[0] ?? ''), 200)
    assert.equal(await signIn('anna', scratch[0] ?? ''), 400)
    assert.equal(await signIn('anna', scratch[1] ?? ''), 200)
    const stored = JSON.stringify(await world.services.db.selectFrom('recovery_code').selectAll().execute())
    for (const code of scratch) assert.equal(stored.includes(code), false)

    const [key = ''] = made('bert')
    const hotp = (counter: number) =>
      execFileSync('oathtool', ['--hotp', '-b', '-c', String(counter), key], { encoding: 'utf8' }).trim()
    assert.equal(await signIn('bert', hotp(0)), 400)
    assert.equal(await signIn('bert', hotp(1)), 200)
    assert.equal(await signIn('bert', hotp(1)), 400)
    assert.equal(await signIn('anna', made('bert').find((line) => /^\d{8}$/.test(line)) ?? ''), 400)
  })
})
