import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Command } from 'commander'
import { type Branch, commands } from '../../src/cli/commands.ts'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

// Each test has a folder of its own, and most of its time is the start of processes.
describe('the program', { concurrency: 2 }, () => {
  test('every command explains itself, with examples', async (t) => {
    const leavesOf = (branches: readonly Branch[]): readonly Branch[] =>
      branches.flatMap((branch) => (branch.branches === undefined ? [branch] : leavesOf(branch.branches)))
    const leaves = leavesOf(commands)
    assert.equal(leaves.length, 50)
    for (const { name, load } of leaves) {
      let help = ''
      const command = new Command(name).configureOutput({
        writeOut: (text) => {
          help += text
        },
      })
      assert.ok(load)
      const declare = await load()
      declare(command)
      command.outputHelp()
      assert.match(help, /\nExamples?:\n {2}\S*.*watchword /, name)
    }
    const { run } = place(t)
    done(await run('--help'), /createsuperuser/)
    done(await run('user create --help'), /^Usage: watchword user create .*Global Options/s)
    done(await run('--version'), /^\d+\.\d+\.\d+\n$/)
  })

  test('wrong usage exits with 2', async (t) => {
    const { run } = place(t)
    const wrong = [
      ['usr', /Unknown command 'usr'.*Did you mean user/],
      ['user lst', /Unknown command 'lst'/],
      ['user list --jsn', /Unknown option '--jsn'.*--json/],
      ['user show', /Missing required argument 'username'/],
      ['user list --limit', /argument missing/],
      ['apache vhost --server-name auth.example.com', /--certificate/],
    ] as const
    await Promise.all(wrong.map(async ([args, what]) => misused(await run(args), what)))
    for (const args of ['', 'user']) {
      const ran = await run(args)
      assert.equal(ran.code, 2)
      assert.match(ran.stderr, /^Usage: watchword/)
    }
  })

  test('bad settings are refused with 2, each on its line', async (t) => {
    const { run, folder } = place(t)
    const env = { WATCHWORD_LISTN: 'x', WATCHWORD_SESSION_LIMIT: 'many' }
    for (const command of ['user list', 'serve', 'migrate', 'config']) {
      const ran = await run(command, { env })
      assert.equal(ran.code, 2)
      assert.match(ran.stderr, /WATCHWORD_LISTN.*Did you mean/)
      assert.match(ran.stderr, /WATCHWORD_SESSION_LIMIT: session\.limit: "many".*Write a whole number/)
      assert.equal(ran.stdout, '')
    }
    misused(await run('user list --config missing.toml'), /missing\.toml/)
    assert.equal(existsSync(join(folder, 'data')), false)
  })

  test('the settings in force are shown with where they come from, without the password of the database', async (t) => {
    const { run, folder } = place(t)
    writeFileSync(join(folder, 'watchword.toml'), 'issuer = "Acme"\n[session]\nlimit = 7\n')
    const env = {
      WATCHWORD_SESSION_LIMIT: '9',
      WATCHWORD_DATABASE: 'postgres://watchword:hunter2@db.example.com/watchword',
    }
    const ran = await run('config --json', { env })
    const settings = new Map<string, { value: string; source: string }>(
      json(ran).settings.map((setting: { name: string }) => [setting.name, setting]),
    )
    assert.deepEqual(settings.get('issuer'), {
      name: 'issuer',
      value: 'Acme',
      source: join(folder, 'watchword.toml'),
    })
    assert.equal(settings.get('session.limit')?.value, '9')
    assert.equal(settings.get('session.limit')?.source, 'WATCHWORD_SESSION_LIMIT')
    assert.equal(settings.get('login.lifetime')?.source, 'default')
    const text = await run('config', { env })
    done(text, /issuer +Acme/)
    assert.doesNotMatch(ran.stdout + text.stdout, /hunter2/)
  })

  test('the database is brought up to date, and its state shown without making it', async (t) => {
    const { run, databaseFile } = place(t)
    const fresh = json(await run('migrate --status --json'))
    assert.deepEqual([fresh.applied, fresh.unknown], [[], []])
    assert.equal(existsSync(databaseFile), false)
    done(await run('migrate'), /Applied: 0001-initial/)
    done(await run('migrate'), /up to date/)
    assert.deepEqual(json(await run('migrate --status --json')).pending, [])
    done(await run('migrate --status'), /0001-initial +applied/)
  })

  test('a database of a newer program is refused by every command', async (t) => {
    const { run, withDatabase } = place(t)
    await run('migrate')
    withDatabase((db) => db.exec(`insert into kysely_migration values ('9999-later', '2030-01-01')`))
    const all = [
      'user list',
      'user enable bob',
      'group list',
      'audit export',
      'keys check',
      'keys rotate',
      'migrate',
    ]
    const runs = await Promise.all(all.map((args) => run(args)))
    for (const ran of runs) refused(ran, /newer than this program.*restore a backup/)
    const status = await run('migrate --status')
    assert.equal(status.code, 1)
    assert.match(status.stdout, /9999-later +of a newer Watchword/)
    assert.match(status.stderr, /newer than this program/)
  })

  test('a database or folder that cannot be used is told in a sentence', async (t) => {
    const { run, folder, env } = place(t)
    const dead = { WATCHWORD_DATABASE: `postgres://user:hunter2@127.0.0.1:1/none` }
    const ran = await run('user list', { env: dead })
    refused(ran, /The database failed: .*ECONNREFUSED.*watchword config/)
    assert.doesNotMatch(ran.stderr, /hunter2/)
    mkdirSync(env.WATCHWORD_DATA ?? '')
    writeFileSync(join(folder, 'data', 'watchword.sqlite3'), 'not a database, but long enough to look at')
    chmodSync(join(folder, 'data', 'watchword.sqlite3'), 0o600)
    refused(await run('user list'), /The database failed: file is not a database/)
    refused(await run('user list', { env: { WATCHWORD_DATA: '/dev/null/x' } }), /\/dev\/null/)
  })

  test('an address that is taken is refused with what to do', async (t) => {
    const { run } = place(t)
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    refused(
      await run('serve', { env: { WATCHWORD_LISTEN: `127.0.0.1:${port}`, WATCHWORD_LOG_LEVEL: 'silent' } }),
      /"?listen"?/i,
    )
  })

  test('a virtual host for Apache is printed from flags and settings', async (t) => {
    const { run, runWords } = place(t)
    const files = ['--certificate', '/etc/ssl/a.pem', '--key', '/etc/ssl/a.key']
    const vhost = (...more: string[]) => runWords(['apache', 'vhost', ...files, ...more])
    const printed = await vhost('--server-name', 'auth.example.com', '--http-port', '8080')
    done(printed, /<VirtualHost \*:8080>/)
    assert.match(printed.stdout, /ProxyPass "\/" "http:\/\/127\.0\.0\.1:8000\/"/)
    const socket = {
      WATCHWORD_LISTEN: 'unix:/run/watchword/socket',
      WATCHWORD_ORIGIN: 'https://auth.example.com',
    }
    const args = 'apache vhost --server-name auth.example.com --certificate /a --key /b'
    done(await run(args, { env: socket }), /unix:\/run\/watchword\/socket\|/)
    misused(await vhost('--server-name', 'https://auth.example.com'), /--server-name .* is not a host name/)
    misused(await vhost('--server-name', 'a.example.com', '--https-port', '80'), /--https-port are the same/)
    misused(await vhost('--server-name', 'a.example.com', '--http-port', '0'), /--http-port/)
    misused(await vhost('--server-name', 'a.example.com', '--static', '/srv'), /--static/)
  })

  test('a virtual host by which Apache runs the program is printed from flags and the settings file', async (t) => {
    const { folder, run } = place(t)
    const args = 'apache passenger --server-name auth.example.com --certificate /a --key /b'
    misused(await run(args), /--config/)
    const file = join(folder, 'service.toml')
    writeFileSync(file, 'origin = "https://auth.example.com"\ndata = "/var/lib/watchword"\n')
    const printed = await run(`--config ${file} ${args}`)
    done(printed, /PassengerUser watchword\n/)
    // The environment of whoever prints it is not that of the service.
    assert.match(printed.stdout, /PassengerRestartDir "\/var\/lib\/watchword"/)
    assert.ok(printed.stdout.includes(`SetEnv WATCHWORD_CONFIG "${file}"`))
    misused(await run(`--config ${file} ${args} --user -x`), /--user .* is|--user/)
    writeFileSync(file, 'origin = "https://other.example.com"\n')
    refused(await run(`--config ${file} ${args}`), /origin = "https:\/\/auth\.example\.com"/)
  })

  test('no secret is in what the program prints', async (t) => {
    const { run } = place(t)
    await run('createsuperuser --username alice --password-stdin', { stdin: goodPassword })
    const all = [
      'user list --json',
      'user show alice --json',
      'user show alice',
      'audit export',
      'config --json',
    ]
    for (const ran of await Promise.all(all.map((args) => run(args)))) {
      assert.equal(ran.code, 0)
      assert.doesNotMatch(ran.stdout, /violet|argon2|\$argon/)
    }
  })
})
