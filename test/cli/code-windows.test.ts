import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, json, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

test('what a password and code opens to programs is listed and ended at the command line', async (t) => {
  const { run, withDatabase } = place(t)
  for (const name of ['bob', 'eve']) {
    done(await run(`user create ${name} --password-stdin`, { stdin: goodPassword }))
  }
  done(await run('user code-window list bob'), /No program comes in by a password and code of bob/)
  const now = Math.floor(Date.now() / 1000)
  const id = '0'.repeat(26)
  withDatabase((database) => {
    const { id: userId } = database.prepare(`select id from user where username = 'bob'`).get() ?? {}
    database
      .prepare(
        `insert into code_window (credential_hash, id, user_id, policy, host, address, epoch, created_at, expires_at, last_used_at)
         values ('hash', ?, ?, 'dav', 'https://dav.example.net', '192.0.2.7', 1, ?, ?, ?)`,
      )
      .run(id, String(userId), now, now + 3600, now)
  })
  done(await run('user code-window list bob'), /https:\/\/dav\.example\.net +dav +192\.0\.2\.7/)
  done(await run('user show bob'), /Programs that came in by password and code:\nHOST/)
  const [open] = json(await run('user code-window list bob --json'))
  assert.deepEqual([open.id, open.policy, open.address], [id, 'dav', '192.0.2.7'])
  assert.equal(json(await run('user show bob --json')).code_windows[0].id, id)
  // A slip in the name does not end somebody else's.
  refused(await run(`user code-window end eve ${id}`), /eve has nothing open by the identifier/)
  refused(await run(`user code-window end nobody ${id}`), /no user "nobody"/)
  done(await run(`user code-window end bob ${id}`), /Ended\. The program is refused/)
  refused(await run(`user code-window end bob ${id}`), /bob has nothing open/)
  assert.match((await run('audit list --user bob --json')).stdout, /code-window-ended/)
})
