import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

// Each test has a folder of its own, and most of its time is the start of processes.
describe('app passwords at the command line', { concurrency: 2 }, () => {
  test('one is made for an account of no person, listed without its secret, and revoked', async (t) => {
    const { run, runWords } = place(t)
    done(await run('user create backup --no-password'))
    const made = await runWords([
      ...['user', 'app-password', 'add', 'BACKUP', '--name', 'nightly copy'],
      ...['--policy', 'two-factor', '--policy', 'group-backup', '--days', '90'],
    ])
    assert.equal(made.code, 0)
    // Nothing else on standard output, so that a script can take it.
    assert.match(made.stdout, /^wwp_[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){4}\n$/)
    assert.match(made.stderr, /"nightly copy" of BACKUP opens two-factor, group-backup/)
    const secret = made.stdout.slice(4, 9)

    const [owned, ...others] = json(await run('user app-password list backup --json'))
    assert.deepEqual(others, [])
    assert.deepEqual(
      [owned.name, owned.policies, owned.last_used_at, owned.last_used_address],
      ['nightly copy', ['two-factor', 'group-backup'], null, null],
    )
    const days = (Date.parse(owned.expires_at) - Date.parse(owned.created_at)) / 86_400_000
    assert.equal(days, 90)

    const listed = await run('user app-password list backup')
    done(listed, /nightly copy\s+two-factor group-backup/)
    const shown = await run('user show backup')
    done(shown, /App passwords:\nNAME/)
    assert.equal(json(await run('user show backup --json')).app_passwords[0].id, owned.id)
    const audit = await run('audit list --user backup --json')
    for (const { stdout } of [listed, shown, audit]) assert.ok(!stdout.includes(secret))
    assert.match(audit.stdout, /app-password-made/)

    done(await run(`user app-password revoke backup ${owned.id}`), /revoked/)
    refused(await run(`user app-password revoke backup ${owned.id}`), /has no app password/)
    done(await run('user app-password list backup'), /has no app passwords/)
  })

  test('what cannot be made is refused, and says what to do', async (t) => {
    const { run } = place(t)
    done(await run('user create bob --password-stdin', { stdin: goodPassword }))
    done(await run('user create eve --password-stdin', { stdin: goodPassword }))
    const add = (rest: string, env = {}) => run(`user app-password add ${rest}`, { env })
    refused(await add('nobody --name x --policy two-factor'), /no user "nobody"/)
    refused(await add('bob --name x --policy nowhere'), /no policy "nowhere" that takes app passwords/)
    refused(await add('bob --name x --policy two-factor-recent'), /no policy "two-factor-recent"/)
    refused(
      await add('bob --name x --policy two-factor --days 31', { WATCHWORD_APP_PASSWORDS_LONGEST_DAYS: '30' }),
      /30 days at most \("app_passwords\.longest_days"\)/,
    )
    misused(await add('bob --name x --policy two-factor --days 401'), /--days is "401"/)
    misused(await add('bob --policy two-factor'), /--name/)
    misused(await add('bob --name x'), /--policy/)

    const made = await add('bob --name x --policy two-factor', { WATCHWORD_APP_PASSWORDS_LONGEST_DAYS: '0' })
    assert.equal(made.code, 0)
    assert.match(made.stderr, /ends: never/)
    const [{ id }] = json(await run('user app-password list bob --json'))
    // A slip in the name does not revoke somebody else's.
    refused(await run(`user app-password revoke eve ${id}`), /eve has no app password/)
    refused(await run(`user app-password revoke nobody ${id}`), /no user "nobody"/)
    done(await run('user disable bob'))
    refused(await add('bob --name x --policy two-factor'), /watchword user enable bob/)
    done(await run('user app-password list bob'), /no app passwords/)
  })
})
