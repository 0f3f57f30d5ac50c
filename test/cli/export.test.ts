import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { encodeBase32 } from '../../src/domain/otp/base32.ts'
import { parseOtpauthUri } from '../../src/domain/otp/otpauth-uri.ts'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

const key = Buffer.from('a key of twenty bytes', 'utf8').subarray(0, 20)
const otherKey = Buffer.alloc(20, 7)
const passphrase = 'four words under a passphrase'

/** The program of the guide that opens what was sealed, as it stands there. */
const opener = /```js\n([\s\S]*?)```/.exec(
  readFileSync(new URL('../../docs/migrating.md', import.meta.url), 'utf8').split('## The way out')[1] ?? '',
)?.[1]

async function bobWithToken({ run }: Place): Promise<void> {
  done(await run('user create bob --password-stdin', { stdin: goodPassword }))
  done(await run('group create editors'))
  done(await run('group add editors bob'))
  done(
    await run('user add-token bob --name pocket --hotp --encoding hex --key-stdin', {
      stdin: key.toString('hex'),
    }),
  )
}

const usersIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('the way out', { concurrency: 2 }, () => {
  test('users leave as JSON lines, without a secret unless it is asked for, and that is written down (SEC-LOG-1, SEC-OTP-9)', async (t) => {
    const here = place(t)
    await bobWithToken(here)
    done(await here.run('user create carol --no-password'))
    done(await here.run('user disable carol'))
    const ran = await here.run('export users')
    assert.deepEqual({ code: ran.code, stderr: ran.stderr }, { code: 0, stderr: '' })
    const [bob, carol] = usersIn(ran.stdout)
    assert.deepEqual(
      { username: bob.username, groups: bob.groups, disabled: bob.disabled, superuser: bob.superuser },
      { username: 'bob', groups: ['editors'], disabled: false, superuser: false },
    )
    assert.match(bob.password.hash, /^\$argon2id\$/)
    const [{ kind, name, digits, counter, sealed_uri }] = bob.devices
    assert.deepEqual({ kind, name, digits, counter }, { kind: 'hotp', name: 'pocket', digits: 6, counter: 0 })
    assert.equal(sealed_uri, undefined)
    assert.deepEqual([carol.disabled, carol.password, carol.devices], [true, null, []])
    for (const secret of [encodeBase32(key), key.toString('hex'), 'otpauth', 'v1.', goodPassword]) {
      assert.ok(!ran.stdout.includes(secret), secret)
    }
    const [event] = json(await here.run('audit list --json --limit 1')).events
    assert.equal(event.event, 'users-exported')
    assert.equal(event.actor.kind, 'operator')
  })

  test('sealed secrets open with the passphrase by the program of the guide alone, and in no other way (SEC-OTP-9)', async (t) => {
    const here = place(t)
    await bobWithToken(here)
    const slow = 'user add-token bob --name slow --totp --period 3600 --encoding hex --key-stdin'
    done(await here.run(slow, { stdin: otherKey.toString('hex') }))
    const file = join(here.folder, 'users.jsonl')
    const ran = await here.run(`export users --with-secrets --passphrase-stdin --output ${file}`, {
      stdin: passphrase,
    })
    assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const text = readFileSync(file, 'utf8')
    assert.doesNotMatch(text, /otpauth/)
    assert.ok(!text.includes(encodeBase32(key)))

    assert.ok(opener !== undefined, 'the guide has the program')
    const program = join(here.folder, 'open.mjs')
    writeFileSync(program, opener)
    const open = (PASSPHRASE: string) =>
      spawnSync(process.execPath, [program, file], { env: { PASSPHRASE }, encoding: 'utf8' })
    const [pocket = '', slowOne = ''] = open(passphrase).stdout.split('\n')
    // No app takes such a period; the token has it all the same.
    assert.match(
      slowOne,
      new RegExp(`^otpauth://totp/.*:bob\\?secret=${encodeBase32(otherKey)}&.*period=3600$`),
    )
    const opened = parseOtpauthUri(pocket)
    assert.deepEqual(
      { kind: opened?.kind, account: opened?.account, key: Buffer.from(opened?.key ?? []) },
      { kind: 'hotp', account: 'bob', key },
    )
    const wrong = open('another passphrase')
    assert.notEqual(wrong.status, 0)
    assert.equal(wrong.stdout, '')
  })

  test('an export replaces no file, leaves none half-written, and takes no passphrase from the command line', async (t) => {
    const here = place(t)
    await bobWithToken(here)
    const file = join(here.folder, 'users.jsonl')
    writeFileSync(file, 'precious')
    // What one that was killed left behind.
    writeFileSync(join(here.folder, 'other.jsonl.part'), 'half')
    refused(await here.run(`export users --output ${file}`), /is there already/)
    assert.equal(readFileSync(file, 'utf8'), 'precious')
    const other = join(here.folder, 'other.jsonl')
    assert.deepEqual(await here.run(`export users --output ${other}`), { code: 0, stdout: '', stderr: '' })
    assert.equal(usersIn(readFileSync(other, 'utf8')).length, 1)
    assert.equal(existsSync(`${other}.part`), false)

    misused(await here.run('export users --with-secrets --passphrase x'), /--passphrase-stdin/)
    misused(
      await here.run('export users --passphrase-stdin', { stdin: passphrase }),
      /goes with --with-secrets/,
    )
    misused(
      await here.run('export users --with-secrets --passphrase-stdin', { stdin: 'short' }),
      /at least 12 characters/,
    )
    here.withDatabase((db) => db.exec(`update otp_device set sealed_key = 'v1.00000000.AAAA'`))
    const broken = join(here.folder, 'broken.jsonl')
    const ran = await here.run(`export users --with-secrets --passphrase-stdin --output ${broken}`, {
      stdin: passphrase,
    })
    refused(ran, /keys check/)
    assert.deepEqual([existsSync(broken), existsSync(`${broken}.part`)], [false, false])
  })

  test('a user of an htpasswd file leaves as they came, and Apache verifies the password (SEC-LOG-1)', async (t) => {
    const here = place(t)
    const from = join(here.folder, 'htpasswd')
    const formats = { bea: '-B', arno: '-m', sam: '-2', sepp: '-5', shaun: '-s' }
    writeFileSync(from, '')
    for (const [name, format] of Object.entries(formats)) {
      execFileSync('htpasswd', ['-b', format, from, name, `${name} ${goodPassword}`], { stdio: 'pipe' })
    }
    done(await here.run(`import htpasswd ${from}`))
    await bobWithToken(here)
    done(await here.run('user create carol --no-password'))
    execFileSync('htpasswd', ['-bBc', `${from}.more`, 'dora', goodPassword], { stdio: 'pipe' })
    done(await here.run(`import htpasswd ${from}.more --as more`))
    done(await here.run('user disable dora'))
    // As Django writes bcrypt: another name for the same.
    here.withDatabase((db) => db.exec(`update password_hash set hash = replace(hash, '$2y$', '$2b$')`))

    const to = join(here.folder, 'out')
    const ran = await here.run(`export htpasswd --output ${to}`)
    assert.equal(ran.code, 0)
    assert.equal(ran.stdout, '')
    assert.deepEqual(ran.stderr.trimEnd().split('\n').toSorted(), [
      'Written: 5, left out: 3. A password file has no second factor: where Apache asks it, the password alone opens.',
      'bob is left out: Apache does not understand argon2id',
      'carol is left out: has no password',
      'dora is left out: is disabled',
    ])
    assert.equal(statSync(to).mode & 0o777, 0o600)
    const verify = (name: string, password: string) =>
      spawnSync('htpasswd', ['-vb', to, name, password], { stdio: 'pipe' }).status
    for (const name of Object.keys(formats)) {
      assert.equal(verify(name, `${name} ${goodPassword}`), 0, name)
      assert.notEqual(verify(name, goodPassword), 0, name)
    }
    assert.notEqual(verify('bob', goodPassword), 0)
    const [event] = json(await here.run('audit list --json --limit 1')).events
    assert.equal(event.event, 'users-exported')
    assert.deepEqual((await here.run('export htpasswd')).stdout, readFileSync(to, 'utf8'))
  })

  test('more users than fit into one part leave wholly and once each', async (t) => {
    const here = place(t)
    done(await here.run('migrate'))
    here.withDatabase((db) => {
      const insert = db.prepare(`insert into "user" values (?, ?, ?, '', 0, 0, 1, 0, null, null)`)
      db.exec('begin')
      for (let index = 0; index < 1203; index++) {
        insert.run(`u${String(index).padStart(25, '0')}`, `user${index}`, `user${index}`)
      }
      db.exec('commit')
    })
    const names = usersIn((await here.run('export users')).stdout).map(({ username }) => username)
    assert.deepEqual(
      names,
      Array.from({ length: 1203 }, (_, index) => `user${index}`),
    )
  })
})
