import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

/** As much as a stranger could send: escape sequences, C1 controls, direction, separators. */
const hostile = 'x\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202egnirts\u2028\r\nroot'

function addEvents({ withDatabase }: Place, count: number): void {
  withDatabase((db) => {
    const insert = db.prepare(
      `insert into audit_event values (?, ?, 'code-refused', 'failure', 'anonymous', null, null, ?, ?, ?, ?)`,
    )
    db.exec('begin')
    for (let index = 0; index < count; index++) {
      const id = `event-${String(index).padStart(6, '0')}`
      // Several in each second, so that a batch ends in the middle of one.
      const at = 1_700_000_000 + Math.floor(index / 7)
      insert.run(id, at, '192.0.2.1', hostile, hostile, JSON.stringify({ reason: hostile }))
    }
    db.exec('commit')
  })
}

// Each test has a folder of its own, and most of its time is the start of processes.
describe('the audit log', { concurrency: 2 }, () => {
  test('what the operator does is in the audit log, with who, whom and when', async (t) => {
    const { run } = place(t)
    await run('user create bob --password-stdin', { stdin: goodPassword })
    await run('user create carol --no-password')
    await run('user disable bob')
    const { events } = json(await run('audit list --json'))
    assert.deepEqual(
      events.map((event: { event: string }) => event.event),
      ['user-disabled', 'user-created', 'user-created'],
    )
    const [latest] = events
    assert.equal(latest.actor.kind, 'operator')
    assert.equal(latest.user.username, 'bob')
    assert.match(latest.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)

    const count = async (args: string) => json(await run(`audit list --json ${args}`)).events.length
    assert.equal(await count('--user BOB'), 2)
    assert.equal(await count('--user bob --event user-disabled'), 1)
    assert.equal(await count('--limit 1'), 1)
    assert.equal(await count('--since 1h'), 3)
    assert.equal(await count('--until 1h'), 0)
    assert.equal(await count('--since 2099-01-01'), 0)
    done(await run('audit list'), /user-disabled +bob +operator /)

    await run('user delete bob --yes')
    assert.equal(await count(`--user ${latest.user.id}`), 3)
    refused(await run('audit list --user bob'), /no user "bob".*identifier/)
    misused(await run('audit list --since yesterday'), /"yesterday" is no time/)
    misused(await run('audit list --event signed'), /Write one of: .*signed-in/)
  })

  test('an export is JSON lines, complete and in order, beyond one batch', async (t) => {
    const here = place(t)
    await here.run('user create bob --password-stdin', { stdin: goodPassword })
    addEvents(here, 1203)
    const ran = await here.run('audit export')
    assert.equal(ran.code, 0)
    assert.equal(ran.stderr, '')
    const lines = ran.stdout.trimEnd().split('\n')
    const events = lines.map((line) => JSON.parse(line))
    const strangers = events.filter(({ event }) => event === 'code-refused')
    assert.equal(strangers.length, 1203)
    assert.equal(new Set(strangers.map(({ id }) => id)).size, 1203)
    assert.deepEqual(
      strangers.map(({ id }) => id),
      strangers.map(({ id }) => id).sort(),
    )
    assert.equal(events.at(-1).event, 'user-created')
    assert.doesNotMatch(ran.stdout, /violet|anvil|argon2/)

    const some = await here.run('audit export --since 2023-11-14T22:13:21Z --until 2023-11-14T22:13:23Z')
    assert.equal(some.stdout.trimEnd().split('\n').length, 14)
  })

  test('an export whose reader goes away just ends', async (t) => {
    const here = place(t)
    await here.run('migrate')
    addEvents(here, 3000)
    const command = [...here.command, 'audit', 'export'].map((word) => `'${word}'`).join(' ')
    const shell = promisify(execFile)('sh', ['-c', `${command} | head -n 1`], { env: here.env })
    const { stdout, stderr } = await shell
    assert.equal(stdout.split('\n').length, 2)
    assert.equal(stderr, '')
  })

  test('hostile text that was stored does nothing to a terminal, and stays what it was in JSON', async (t) => {
    const here = place(t)
    await here.run('user create bob --no-password')
    const { id } = json(await here.run('user show bob --json'))
    const now = Math.floor(Date.now() / 1000)
    here.withDatabase((db) => {
      db.prepare('update "user" set display_name = ?').run(hostile)
      db.prepare('insert into session values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)').run(
        ...['session-1', 'hash', id, 'pwd otp', now, now, now, now + 1000, '192.0.2.1', hostile],
      )
      db.prepare(
        `insert into otp_device values ('d1', ?, 'totp', ?, 'v1.x.y', 'sha1', 6, 30, 0, 0, -1, 0, ?, ?, null, null, null, null)`,
      ).run(id, hostile, now, now)
    })
    addEvents(here, 1)
    const commands = ['user list', 'user show bob', 'audit list', 'keys check', 'audit export']
    const jsons = ['user list --json', 'user show bob --json', 'audit list --json', 'keys check --json']
    for (const ran of await Promise.all([...commands, ...jsons].map((args) => here.run(args)))) {
      assert.notEqual(ran.stdout, '')
      assert.doesNotMatch(ran.stdout + ran.stderr, /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u)
    }
    const shown = json(await here.run('user show bob --json'))
    assert.equal(shown.display_name, hostile)
    assert.equal(shown.sessions[0].user_agent, hostile)
    assert.equal(shown.devices[0].name, hostile)

    const echoed = await here.runWords(['user', 'show', hostile])
    refused(echoed, /\\u\{1b\}/)
    assert.doesNotMatch(echoed.stderr, /[^\P{C}\n]/u)
  })
})
