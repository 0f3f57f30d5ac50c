import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setPassword } from '../../src/actions/set-password.ts'
import { environmentOf } from '../support/imports.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

const NOW = 1_800_000_000
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const urn = 'urn:ietf:params:xml:ns:keyprov:pskc'
const transportKey = '12345678901234567890123456789012'
const passphrase = 'a passphrase of the maker'
const keys = {
  hotp: Buffer.from('12345678901234567890').toString('hex'),
  totp: Buffer.from('12345678901234567890123456789012').toString('hex'),
}

/** How python-pskc is told to write a file, and how both programs are told to open it. */
const ways = {
  plain: { write: [], input: '', words: [] },
  'by-key': { write: ['--secret', transportKey], input: `${transportKey}\n`, words: ['--key-stdin'] },
  'by-passphrase': {
    write: ['--password', passphrase],
    input: `${passphrase}\n`,
    words: ['--passphrase-stdin'],
  },
} as const

describe("hardware tokens of files that Debian's pskc-utils wrote", () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-pskc-'))
  before(async () => {
    world = await startWorld()
    world.clock.set(NOW)
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  const program = (name: string, ...words: string[]) =>
    execFileSync(name, words, { cwd: folder, encoding: 'utf8' })
  function importTokens(file: string, input: string, ...words: string[]) {
    const env = environmentOf(world, folder)
    const all = [main, 'import', 'pskc', file, ...words]
    return spawnSync(process.execPath, all, { cwd: folder, env, input, encoding: 'utf8' })
  }
  const signIn = async (username: string, otp: string) =>
    (await world.browser().post('/auth/authenticate/', { username, password: PASSWORD, otp })).status

  for (const [way, { write, input, words }] of Object.entries(ways)) {
    it(`${way}: give the keys that pskctool or pskc2csv reads, and their codes open once (SEC-OTP-2, SEC-OTP-17)`, async () => {
      const file = `${way}.xml`
      writeFileSync(
        join(folder, 'tokens.csv'),
        `serial,id,algorithm,algorithm_suite,secret,counter,time_interval,response_length,response_encoding,key_userid
1,1,${urn}:hotp,,${keys.hotp},3,,8,DECIMAL,counter-${way}
2,2,${urn}:totp,HMAC-SHA256,${keys.totp},,60,6,DECIMAL,time-${way}
`,
      )
      program('csv2pskc', '--skip-rows', '1', ...write, '--output', file, 'tokens.csv')
      if (way === 'plain') {
        assert.match(program('pskctool', '--validate', file), /^OK/)
        const told = program('pskctool', '--info', '--strict', file).matchAll(/Key Secret \(base64\): (\S+)/g)
        const read = Array.from(told, ([, key = '']) => Buffer.from(key, 'base64').toString('hex'))
        assert.deepEqual(read, [keys.hotp, keys.totp])
      } else {
        const rows = program('pskc2csv', ...write, '--columns', 'secret', file)
          .trim()
          .split(/\s+/)
        assert.deepEqual(rows, ['secret', keys.hotp, keys.totp])
        const withoutKey = importTokens(file, '', '--as', way)
        assert.equal(withoutKey.status, 1)
        assert.match(withoutKey.stderr, /The file is encrypted/)
        const withAnother = importTokens(
          file,
          input.replace('a', 'b').replace('1', '2'),
          '--as',
          way,
          ...words,
        )
        assert.match(withAnother.stderr, /is another one/)
      }

      const { status, stdout, stderr } = importTokens(file, input, '--as', way, ...words)
      assert.equal(status, 0, stderr)
      for (const secret of [keys.hotp, keys.totp, passphrase, transportKey])
        assert.equal(stdout.includes(secret), false)
      for (const username of [`counter-${way}`, `time-${way}`])
        await setPassword(
          world.services,
          { username, password: PASSWORD, mustChange: false },
          { operator: 'test' },
        )
      const byCounter = program('oathtool', '--hotp', '-d', '8', '-c', '3', keys.hotp).trim()
      assert.equal(await signIn(`counter-${way}`, byCounter), 200)
      assert.equal(await signIn(`counter-${way}`, byCounter), 400)
      const byTime = program('oathtool', '--totp=sha256', '-s', '60', '--now', `@${NOW}`, keys.totp).trim()
      assert.equal(await signIn(`time-${way}`, byTime), 200)
      assert.equal(await signIn(`time-${way}`, byTime), 400)
    })
  }

  it('and a passphrase on the command line, or beside a key, is wrong usage', () => {
    const onTheLine = importTokens('by-passphrase.xml', '', '--passphrase', passphrase)
    assert.deepEqual([onTheLine.status, onTheLine.stdout], [2, ''])
    assert.match(onTheLine.stderr, /Every process of the machine/)
    assert.equal(onTheLine.stderr.includes(passphrase), false)
    const both = importTokens('by-passphrase.xml', `${passphrase}\n`, '--passphrase-stdin', '--key-stdin')
    assert.equal(both.status, 2)
    const nobodyToAsk = importTokens('by-passphrase.xml', '', '--ask-passphrase')
    assert.deepEqual([nobodyToAsk.status, /no terminal/.test(nobodyToAsk.stderr)], [2, true])
  })
})
