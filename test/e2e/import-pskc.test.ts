import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setPassword } from '../../src/actions/set-password.ts'
import { environmentOf } from '../support/imports.ts'
import { cbc, container, encryptedSecret, protectedBy, rfc6030, token } from '../support/pskc.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

const NOW = 1_800_000_000
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const secret = encryptedSecret(cbc(rfc6030.encryptedSecret), rfc6030.valueMac)
const key = rfc6030.sharedKey.toString('hex')

describe('hardware tokens of a PSKC file', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-pskc-'))
  const file = join(folder, 'tokens.xml')
  const owners = join(folder, 'owners.csv')
  before(async () => {
    const time = '<TimeInterval><PlainValue>30</PlainValue></TimeInterval>'
    const format = '<ResponseFormat Length="6" Encoding="DECIMAL"/>'
    const content = container(
      protectedBy(cbc(rfc6030.encryptedMacKey)),
      token({ secret, data: '<Counter><PlainValue>3</PlainValue></Counter>' }),
      token({ serial: '2', kind: 'totp', secret, data: time, format, after: '' }),
      token({ serial: '3', secret, after: '' }),
    )
    writeFileSync(file, content)
    writeFileSync(owners, 'serial,username\n2,anna\n')
    world = await startWorld()
    world.clock.set(NOW)
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  function importTokens(input: string, ...words: string[]) {
    const env = environmentOf(world, folder)
    const all = [main, 'import', 'pskc', file, '--owners', owners, ...words]
    return spawnSync(process.execPath, all, { cwd: folder, env, input, encoding: 'utf8' })
  }
  const usernames = () =>
    world.services.db.selectFrom('user').select('username').orderBy('username').execute()
  const code = (...words: string[]) =>
    execFileSync('oathtool', [...words, rfc6030.secret.toString('hex')], { encoding: 'utf8' }).trim()
  const signIn = async (username: string, otp: string) =>
    (await world.browser().post('/auth/authenticate/', { username, password: PASSWORD, otp })).status

  it('are refused altogether without the key of the file, and with another (SEC-CRY-5)', async () => {
    const tries: [ReturnType<typeof importTokens>, number, RegExp][] = [
      [importTokens(''), 1, /encrypted\. Give its key on standard input/],
      [importTokens(`${'0'.repeat(32)}\n`, '--key-stdin'), 1, /MAC of the file is not right/],
      [importTokens('short\n', '--key-stdin'), 2, /16 or 32 bytes/],
    ]
    for (const [{ status, stderr }, expected, why] of tries) {
      assert.equal(status, expected, stderr)
      assert.match(stderr, why)
    }
    assert.deepEqual(await usernames(), [])
  })

  it('open to their owners with the next code that oathtool makes of them, once (SEC-OTP-2)', async () => {
    const { status, stdout, stderr } = importTokens(`${key}\n`, '--key-stdin')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /token 3 has no owner/)
    assert.equal(stdout.includes(rfc6030.secret.toString()), false)
    assert.deepEqual(
      (await usernames()).map(({ username }) => username),
      ['anna', 'jsmith'],
    )
    for (const username of ['anna', 'jsmith'])
      await setPassword(
        world.services,
        { username, password: PASSWORD, mustChange: false },
        { operator: 'test' },
      )
    const byTime = code('--totp', '--now', `@${NOW}`)
    assert.equal(await signIn('anna', byTime), 200)
    assert.equal(await signIn('anna', byTime), 400)
    const byCounter = (counter: number) => code('--hotp', '-d', '8', '-c', `${counter}`)
    assert.equal(await signIn('jsmith', byCounter(2)), 400)
    assert.equal(await signIn('jsmith', byCounter(3)), 200)
  })

  it('are there once, however often the file is imported', () => {
    const again = importTokens(`${key}\n`, '--key-stdin', '--update', '--json')
    assert.equal(again.status, 0, again.stderr)
    const { summary } = JSON.parse(again.stdout.trimEnd().split('\n').at(-1) ?? '')
    assert.deepEqual([summary.made, summary.changed, summary.unchanged, summary.left_out], [0, 0, 2, 1])
  })
})
