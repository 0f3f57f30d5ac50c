import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

// Each test has a folder of its own, and most of its time is the start of processes.
describe('users and groups', { concurrency: 2 }, () => {
  test('the first superuser is made from a script, and told where to sign in', async (t) => {
    const { run } = place(t)
    const made = await run('createsuperuser --username alice --password-stdin', {
      stdin: `${goodPassword}\n`,
    })
    done(made, /Superuser alice is made\.\nSign in at http:\/\/127\.0\.0\.1:8000\/login/)
    const shown = json(await run('user show ALICE --json'))
    assert.equal(shown.username, 'alice')
    assert.equal(shown.superuser, true)
    assert.notEqual(shown.password_changed_at, null)

    const again = await run('createsuperuser --username Alice --password-stdin', { stdin: goodPassword })
    refused(again, /already/)
  })

  test('without a terminal, what is missing is asked for by name', async (t) => {
    const { run } = place(t)
    const asked = [
      ['createsuperuser', /--username/],
      ['createsuperuser --username alice', /--password-stdin/],
      ['user create bob', /--password-stdin/],
      ['user set-password bob', /--password-stdin/],
      ['user add-token bob --totp --name T', /--key-stdin/],
    ] as const
    await Promise.all(asked.map(async ([args, what]) => misused(await run(args), what)))
  })

  test('a password or key on the command line is refused and not repeated', async (t) => {
    const { run } = place(t)
    const secret = 'hunter2hunter2'
    const attempts = [
      `createsuperuser --username alice --password ${secret}`,
      `user create bob --password=${secret}`,
      `user create bob --password`,
      `user create bob ${secret}`,
      `user create bob --pass=${secret}`,
      `user set-password bob ${secret}`,
      `user set-password bob --password ${secret}`,
      `user add-token bob --totp --name T --key ${secret}`,
    ]
    const runs = await Promise.all(attempts.map((args) => run(args, { stdin: goodPassword })))
    for (const ran of runs) {
      misused(ran, /stdin|standard input|Unknown option/)
      assert.doesNotMatch(ran.stderr, /hunter2/)
    }
  })

  test('standard input is one line of UTF-8, and its line feed is not part of the password', async (t) => {
    const { run } = place(t)
    const create = (stdin: string) => run('user create bob --password-stdin', { stdin })
    misused(await create(''), /no password/)
    misused(await create('\n'), /no password/)
    misused(await create(`${goodPassword}\nand more\n`), /one line/)
    misused(await create('x'.repeat(20_000)), /too long/)
    refused(await create('password1'), /among the most used/)
    refused(await create('short'), /at least 8 characters/)
    refused(await create('bob1234567'), /belongs here/)
    done(await create(`${goodPassword}\r\n`), /User bob is made/)
  })

  test('users are made with a name, groups and a password to be changed, or with none', async (t) => {
    const { run, runWords } = place(t)
    await run('group create staff')
    await run('group create wiki')
    const words = [
      'user',
      'create',
      'Bob',
      '--display-name',
      'Bob Builder',
      '--group',
      'wiki',
      '--group',
      'staff',
    ]
    done(await runWords([...words, '--must-change', '--password-stdin'], { stdin: goodPassword }))
    const bob = json(await run('user show bob --json'))
    assert.equal(bob.display_name, 'Bob Builder')
    assert.deepEqual(bob.groups, ['staff', 'wiki'])
    assert.equal(bob.must_change_password, true)

    done(await run('user create carol --no-password --superuser'))
    assert.equal(json(await run('user show carol --json')).password_changed_at, null)

    refused(await run('user create dan --no-password --group nobody'), /no group "nobody"/)
    refused(await run('user create bOB --no-password'), /already/)
    refused(await runWords(['user', 'create', 'b ob', '--no-password']), /letters, digits/)
    misused(await run('user create dan --no-password --must-change'), /--no-password goes without/)
    misused(
      await runWords(['user', 'create', 'dan', '--no-password', '--display-name', 'a\u0007b']),
      /invisible/,
    )
  })

  test('the list of users can be searched, filtered, and read part by part', async (t) => {
    const { run, runWords } = place(t)
    await run('group create staff')
    for (const name of ['dora', 'Anna', 'carl', 'b_b']) await run(`user create ${name} --no-password`)
    await run('user create eve --no-password --superuser --group staff')
    await run('user disable carl')
    const names = async (args: string) =>
      json(await run(`user list --json ${args}`.trim())).users.map(
        (user: { username: string }) => user.username,
      )

    assert.deepEqual(await names(''), ['Anna', 'b_b', 'carl', 'dora', 'eve'])
    assert.deepEqual(await names('--search AN'), ['Anna'])
    assert.deepEqual(await names('--search _'), ['b_b'])
    assert.deepEqual(await names('--search %'), [])
    assert.deepEqual(await names('--filter disabled'), ['carl'])
    assert.deepEqual(await names('--filter superuser'), ['eve'])
    assert.deepEqual(await names('--group staff'), ['eve'])

    const first = json(await run('user list --json --limit 2'))
    assert.equal(first.next, 'b_b')
    const second = json(await run(`user list --json --limit 3 --after ${first.next}`))
    assert.equal(second.users[0].username, 'carl')
    assert.equal(second.next, null)

    const table = await run('user list --limit 1')
    assert.match(
      table.stdout,
      /^USERNAME +NAME +STATE +CODE +LAST SIGN-IN\nAnna +active, no password +no +never\n$/,
    )
    assert.match(table.stderr, /--after Anna/)
    misused(await run('user list --limit 0'), /--limit is "0"\. Write a whole number from 1 to 1000\./)
    misused(await run('user list --filter all'), /no-second-factor, disabled, superuser/)
    misused(await runWords(['user', 'list', 'anna']), /Too many arguments/)
  })

  test('a hardware token is bound by its key, in base32 or hex, and the key is shown nowhere', async (t) => {
    const { run, runWords } = place(t)
    await run('user create bob --no-password')
    const add = (words: string[], stdin: string) =>
      runWords(['user', 'add-token', 'bob', '--key-stdin', ...words], { stdin })
    const base32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    const hex = '3132333435363738393031323334353637383930'
    done(
      await add(['--totp', '--name', 'Token 1', '--digits', '8', '--period', '60'], `${base32}\n`),
      /Token 1/,
    )
    done(
      await add(
        ['--hotp', '--name', 'Token 2', '--encoding', 'hex', '--counter', '7', '--algorithm', 'sha256'],
        hex,
      ),
    )

    const shown = await run('user show bob --json')
    const [first, second] = json(shown).devices
    assert.deepEqual(
      [
        first.kind,
        first.digits,
        first.period,
        first.algorithm,
        second.kind,
        second.counter,
        second.algorithm,
      ],
      ['totp', 8, 60, 'sha1', 'hotp', 7, 'sha256'],
    )
    for (const text of [
      shown.stdout,
      (await run('user show bob')).stdout,
      (await run('audit export')).stdout,
    ]) {
      assert.doesNotMatch(text, /GEZDGN|31323334|v1\./)
    }

    refused(await add(['--totp', '--name', 'T'], 'GEZDGNBV'), /can be guessed/)
    misused(await add(['--totp', '--name', 'T'], hex.replace('3', '1')), /base32/)
    misused(await add(['--totp', '--name', 'T', '--encoding', 'hex'], base32), /hex/)
    misused(await add(['--name', 'T'], base32), /--totp or --hotp/)
    misused(await add(['--totp', '--hotp', '--name', 'T'], base32), /--totp or --hotp/)
    misused(await add(['--totp', '--counter', '3', '--name', 'T'], base32), /--counter is for --hotp/)
    misused(await add(['--totp'], base32), /--name/)
    for (const name of ['3', '4', '5']) await add(['--totp', '--name', name], base32)
    refused(await add(['--totp', '--name', '6'], base32), /5 devices already/)
    const nobody = ['user', 'add-token', 'nobody', '--totp', '--name', 'T', '--key-stdin']
    refused(await runWords(nobody, { stdin: base32 }), /no user "nobody"/)
  })

  test('disabling, enabling, unlocking, a new password', async (t) => {
    const { run, withDatabase } = place(t)
    await run('user create bob --password-stdin', { stdin: goodPassword })
    done(await run('user disable bob'), /signed out everywhere/)
    refused(await run('user disable bob'), /already/)
    assert.notEqual(json(await run('user show bob --json')).disabled_at, null)
    done(await run('user enable bob'), /may sign in again/)
    refused(await run('user enable bob'), /not disabled/)

    const { id } = json(await run('user show bob --json'))
    const until = Math.floor(Date.now() / 1000) + 1000
    withDatabase((db) => db.prepare('insert into attempts values (?, 9, 1, ?)').run(`code:${id}`, until))
    const { waits } = json(await run('user show bob --json'))
    assert.ok(waits.code > 900 && waits.code <= 1000)
    done(await run('user unlock bob'), /need not wait/)
    assert.deepEqual(json(await run('user show bob --json')).waits, { password: 0, code: 0 })

    const set = 'user set-password bob --password-stdin'
    done(await run(`${set} --must-change`, { stdin: 'another anvil 8 suns' }), /new password/)
    assert.equal(json(await run('user show bob --json')).must_change_password, true)
    refused(await run(set, { stdin: 'bob1234567' }), /belongs here/)
    refused(await run(set, { stdin: 'another anvil 8 suns' }), /^This is the password that bob has/)

    const verbs = ['disable', 'enable', 'unlock', 'show', 'reset-second-factor', 'delete --yes']
    const runs = await Promise.all(verbs.map((verb) => run(`user ${verb} nobody`)))
    for (const ran of runs) refused(ran, /no user "nobody"/)
    refused(
      await run('user set-password nobody --password-stdin', { stdin: goodPassword }),
      /no user "nobody"/,
    )
  })

  test('after a loss the operator gets one recovery code, alone on standard output', async (t) => {
    const { run } = place(t)
    await run('user create bob --password-stdin', { stdin: goodPassword })
    const ran = await run('user reset-second-factor bob')
    assert.equal(ran.code, 0)
    assert.match(ran.stdout, /^0-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\n$/)
    assert.match(ran.stderr, /24 hours/)
    assert.match(ran.stderr, /call them back/)
    assert.equal(json(await run('user show bob --json')).recovery_codes_left, 1)
  })

  test('a user is deleted only if somebody is sure', async (t) => {
    const { run } = place(t)
    await run('user create bob --no-password')
    misused(await run('user delete bob'), /--yes/)
    done(await run('user delete bob --yes'), /deleted/)
    refused(await run('user show bob'), /no user "bob"/)
  })

  test('groups are made, filled, listed and deleted', async (t) => {
    const { run } = place(t)
    await run('user create bob --no-password')
    done(await run('group create staff'), /made/)
    refused(await run('group create staff'), /already/)
    refused(await run('group create Staff,admin'), /small letters/)
    done(await run('group add staff BOB'), /in staff/)
    refused(await run('group add staff bob'), /already/)
    refused(await run('group add staff nobody'), /no user/)
    refused(await run('group add nothing bob'), /no group "nothing"/)
    assert.equal(json(await run('group list --json')).groups[0].members, 1)
    done(await run('group list'), /staff +1/)
    done(await run('group remove staff bob'), /no longer/)
    refused(await run('group remove staff bob'), /not in staff/)
    done(await run('group delete staff'), /deleted/)
    assert.deepEqual(json(await run('group list --json')).groups, [])
  })
})
