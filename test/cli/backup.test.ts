import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startWatchword, type Watchword } from '../support/watchword.ts'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

const PHONE = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const TOKEN = 'MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U'
const PASSPHRASE = 'four plain words together'

/** The server of a place, and the API as a program uses it. */
async function served<T>(here: Place, work: (api: Api, server: Watchword) => Promise<T>): Promise<T> {
  const env = {
    ...here.env,
    WATCHWORD_LISTEN: '127.0.0.1:0',
    WATCHWORD_ORIGIN: 'http://127.0.0.1',
    WATCHWORD_AUTHORIZER_LISTEN: 'off',
    // What is refused here shall be so for what it is, and not for how often it came.
    WATCHWORD_THROTTLE_CODE_FREE: '10',
  }
  const server = await startWatchword(here.folder, env)
  const api: Api = {
    async send(method, path, fields, cookie) {
      const init: RequestInit = {
        method,
        headers: { ...(cookie !== undefined && { cookie }), 'content-type': 'application/json' },
        ...(fields !== undefined && { body: JSON.stringify(fields) }),
      }
      const response = await fetch(`${server.address}${path}`, init)
      const set = response.headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '')
      return { status: response.status, body: await response.json(), cookie: set.join('; ') }
    },
    signIn: (username, otp) =>
      api.send('POST', '/auth/authenticate/', { username, password: goodPassword, otp }),
  }
  try {
    return await work(api, server)
  } finally {
    await server.stop()
  }
}

interface Api {
  send(
    method: string,
    path: string,
    fields?: object,
    cookie?: string,
    // biome-ignore lint/suspicious/noExplicitAny: the body of an answer is whatever the test says it is
  ): Promise<{ status: number; body: any; cookie: string }>
  signIn(username: string, otp: string): ReturnType<Api['send']>
}

const totp = (secret: string, seconds = 0) =>
  execFileSync('oathtool', ['--totp', '-b', `--now=@${Math.floor(Date.now() / 1000) + seconds}`, secret])
    .toString()
    .trim()
const hotp = (secret: string, counter: number) =>
  execFileSync('oathtool', ['--hotp', '-b', '-c', String(counter), secret])
    .toString()
    .trim()

/** Alice with a phone, Bob with a counter, Carol with nothing but a group. */
async function peopled(t: TestContext): Promise<Place> {
  const here = place(t)
  for (const name of ['alice', 'bob', 'carol'])
    done(await here.run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
  done(await here.run('user add-token alice --totp --name phone --key-stdin', { stdin: PHONE }))
  done(await here.run('user add-token bob --hotp --name token --key-stdin', { stdin: TOKEN }))
  done(await here.run('group create staff'))
  done(await here.run('group add staff carol'))
  return here
}

/** Recovery codes of Alice, from a session of hers that begins with the code of her phone. */
async function aliceIn(api: Api): Promise<{ code: string; cookie: string; codes: string[] }> {
  // The code of the step after this one: a code of a step that ends while the test runs would not be good any more.
  const code = totp(PHONE, 30)
  const { status, cookie } = await api.signIn('alice', code)
  assert.equal(status, 200)
  const made = await api.send('POST', '/auth/recovery-codes/', {}, cookie)
  assert.equal(made.status, 200)
  return { code, cookie, codes: made.body.recovery_codes }
}

test('what was used, ended or taken away since a backup does not work again (SEC-DB-4, FT-REST-1)', async (t) => {
  const here = await peopled(t)
  assert.equal((await here.run('user app-password add carol --name cron --policy password')).code, 0)
  const backup = join(here.folder, 'one.backup')
  const before = await served(here, async (api) => {
    const alice = await aliceIn(api)
    done(await here.runWords(['backup', backup]), /3 users.*read back/)
    for (const code of alice.codes.slice(0, 5)) assert.equal((await api.signIn('alice', code)).status, 200)
    for (let counter = 0; counter < 10; counter++)
      assert.equal((await api.signIn('bob', hotp(TOKEN, counter))).status, 200, `counter ${counter}`)
    assert.equal((await api.send('GET', '/auth/session/', undefined, alice.cookie)).status, 401)
    const { cookie } = await api.signIn('alice', alice.codes[5] ?? '')
    return { ...alice, cookie }
  })
  const [appPassword] = json(await here.run('user app-password list carol --json'))
  done(await here.run(`user app-password revoke carol ${appPassword.id}`))
  done(await here.run('user disable carol'))
  done(await here.run('group remove staff carol'))
  done(await here.run('user create dora --no-password'))

  const rehearsal = await here.runWords(['restore', backup, '--dry-run'])
  done(
    rehearsal,
    /1 users disabled.*\n(.*\n)*.*6 recovery codes left out.*\n(.*\n)*.*1 users who were made since/,
  )
  assert.equal(json(await here.run('user list --json')).users.length, 4)
  done(await here.runWords(['restore', backup, '--yes']), /Restored the state of .*Z: 3 users/)

  assert.equal(json(await here.run('user list --json')).users.length, 3)
  assert.deepEqual(json(await here.run('user show carol --json')).groups, [])
  assert.match(json(await here.run('user show carol --json')).disabled_at, /Z$/)
  assert.deepEqual(json(await here.run('user app-password list carol --json')), [])
  const { events } = json(await here.run('audit list --json --since 1h'))
  assert.equal(events[0].event, 'database-restored')
  await served(here, async (api) => {
    assert.equal((await api.send('GET', '/auth/session/', undefined, before.cookie)).status, 401)
    assert.equal((await api.signIn('alice', before.code)).status, 400)
    for (const code of before.codes.slice(0, 6)) assert.equal((await api.signIn('alice', code)).status, 400)
    assert.equal((await api.signIn('alice', before.codes[6] ?? '')).status, 200)
    for (let counter = 5; counter < 10; counter++)
      assert.equal((await api.signIn('bob', hotp(TOKEN, counter))).status, 400, `counter ${counter}`)
    assert.equal((await api.signIn('bob', hotp(TOKEN, 10))).status, 200)
    assert.equal((await api.signIn('carol', '000000')).status, 401)
  })
})

test('a restore shortens no wait that guesses since the backup led to (SEC-DB-4, SEC-RATE-1)', async (t) => {
  const here = await peopled(t)
  const backup = join(here.folder, 'one.backup')
  const guess = async (api: Api, username: string) =>
    (await api.send('POST', '/auth/login/', { username, password: 'not the right one' })).status
  const isThrottled = async (api: Api, username: string) =>
    (await api.send('POST', '/auth/login/', { username, password: goodPassword })).status === 429
  await served(here, async (api) => {
    assert.equal(await guess(api, 'alice'), 401)
    done(await here.runWords(['backup', backup]))
    for (const username of ['alice', 'bob', 'nobody'])
      for (let tries = 0; tries < 5; tries++) await guess(api, username)
  })
  // A wait of half a minute would end while a slow machine restores.
  here.withDatabase((db) =>
    db.exec('update attempts set blocked_until = blocked_until + 600 where count >= 5'),
  )
  done(await here.runWords(['restore', backup, '--yes']))
  await served(here, async (api) => {
    for (const username of ['alice', 'bob', 'nobody'])
      assert.equal(await isThrottled(api, username), true, username)
    assert.equal(await isThrottled(api, 'carol'), false)
  })
})

test('without the later database nothing that can be used once is believed unused (SEC-DB-4)', async (t) => {
  const here = await peopled(t)
  const backup = join(here.folder, 'one.backup')
  const before = await served(here, async (api) => {
    const alice = await aliceIn(api)
    done(await here.runWords(['backup', backup]))
    return alice
  })
  rmSync(here.databaseFile)
  const restored = await here.runWords(['restore', backup, '--yes', '--json'])
  const { settled, compared, replaced } = json(restored)
  assert.deepEqual([compared, replaced], [false, null])
  assert.deepEqual([settled.recovery_codes, settled.devices], [10, 1])
  await served(here, async (api) => {
    assert.equal((await api.signIn('alice', before.code)).status, 400)
    assert.equal((await api.signIn('alice', totp(PHONE))).status, 400)
    assert.equal((await api.signIn('alice', before.codes[0] ?? '')).status, 400)
    assert.equal((await api.signIn('bob', hotp(TOKEN, 0))).status, 400)
  })
  assert.equal(json(await here.run('user show bob --json')).devices[0].disabled, true)
})

test('a database that a server uses is not replaced and not moved', async (t) => {
  const here = await peopled(t)
  const backup = join(here.folder, 'one.backup')
  done(await here.runWords(['backup', backup]))
  await served(here, async (api) => {
    refused(await here.runWords(['restore', backup, '--yes']), /is in use.*Stop every server/)
    refused(await here.runWords(['restore', backup, '--dry-run']), /is in use/)
    refused(await here.run(`move --to sqlite:${here.folder}/other.sqlite3`), /is in use/)
    assert.equal((await api.signIn('bob', hotp(TOKEN, 0))).status, 200)
  })
  done(await here.runWords(['restore', backup, '--yes']))
})

test('a backup is one file for its owner alone, never written over another', async (t) => {
  const here = await peopled(t)
  const backup = join(here.folder, 'one.backup')
  const { rows } = json(await here.runWords(['backup', backup, '--json']))
  assert.deepEqual([rows.user, rows.otp_device, rows.user_group], [3, 2, 1])
  assert.equal(statSync(backup).mode & 0o777, 0o600)
  const bytes = readFileSync(backup)
  refused(await here.runWords(['backup', backup]), /is there already/)
  assert.deepEqual(readFileSync(backup), bytes)
  refused(await here.runWords(['restore', join(here.folder, 'none'), '--yes']), /no such file/i)
  misused(await here.runWords(['restore', backup]), /--yes/)
})

test('a backup that was changed, cut or made by a newer program is refused, and the database stays', async (t) => {
  const here = await peopled(t)
  const backup = join(here.folder, 'one.backup')
  done(await here.runWords(['backup', backup]))
  const whole = readFileSync(backup)
  const before = readFileSync(here.databaseFile)
  const rewritten = (change: (text: string) => string) => {
    const text = execFileSync('zcat', [backup]).toString()
    return execFileSync('gzip', { input: change(text) })
  }
  const flipped = Buffer.from(whole)
  flipped[Math.floor(whole.length / 2)] = (flipped[Math.floor(whole.length / 2)] ?? 0) ^ 1
  for (const [what, bytes, because] of [
    ['cut', whole.subarray(0, whole.length - 20), /cut short/],
    ['flipped', flipped, /damaged|changed/],
    ['no backup', Buffer.from('hello'), /no backup/],
    ['another user', rewritten((text) => text.replace('"carol","carol"', '"mallo","mallo"')), /changed/],
    ['longer', Buffer.concat([whole, execFileSync('gzip', { input: '[]\n' })]), /goes on after its end/],
    ['newer format', rewritten((text) => text.replace('watchword-backup-1', 'watchword-backup-2')), /format/],
  ] as const) {
    const file = join(here.folder, `${what}.backup`)
    writeFileSync(file, bytes)
    const ran = await here.runWords(['restore', file, '--yes'])
    assert.equal(ran.code, 1, what)
    assert.match(ran.stderr, because, what)
  }
  assert.deepEqual(readFileSync(here.databaseFile), before)
  assert.equal(existsSync(`${here.databaseFile}.restoring`), false)
})

test('the key file goes along sealed by a passphrase, and only the one that belongs to it will do', async (t) => {
  const here = await peopled(t)
  const [bare, whole] = [join(here.folder, 'bare.backup'), join(here.folder, 'whole.backup')]
  misused(
    await here.runWords(['backup', whole, '--with-keys', '--passphrase-stdin'], { stdin: 'short' }),
    /at least 12/,
  )
  misused(await here.runWords(['backup', whole, '--passphrase-stdin'], { stdin: PASSPHRASE }), /--with-keys/)
  done(await here.runWords(['backup', bare]), /keys are not in it/)
  done(await here.runWords(['backup', whole, '--with-keys', '--passphrase-stdin'], { stdin: PASSPHRASE }))
  const keys = readFileSync(here.keyFile)
  const key = Object.values<string>(JSON.parse(keys.toString()).keys)[0] ?? ''
  assert.ok(!execFileSync('zcat', [whole]).includes(key), 'the key is not readable (SEC-CRY-2)')

  const other = place(t)
  const options = (stdin: string) => ({ stdin })
  refused(await other.runWords(['restore', bare, '--yes']), /missing.*not in the backup either/)
  refused(await other.runWords(['restore', whole, '--yes']), /add --with-keys/)
  const from = ['restore', whole, '--yes', '--with-keys', '--passphrase-stdin']
  refused(await other.runWords(from, options('another passphrase')), /passphrase is another one/)
  assert.equal(existsSync(other.keyFile), false)
  done(await other.runWords(from, options(PASSPHRASE)), /3 users/)
  assert.deepEqual(JSON.parse(readFileSync(other.keyFile, 'utf8')), JSON.parse(keys.toString()))
  done(await other.run('keys check'), /Every secret opens/)

  const third = place(t)
  done(await third.run('user create zoe --no-password'))
  refused(await third.runWords(['restore', whole, '--yes']), /does not open this backup/)
  renameSync(third.keyFile, `${third.keyFile}.away`)
  writeFileSync(third.keyFile, keys, { mode: 0o600 })
  done(await third.runWords(['restore', whole, '--yes']), /3 users/)
})
