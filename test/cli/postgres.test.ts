import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writeBackup } from '../../src/store/backup/file.ts'
import { openSnapshot } from '../../src/store/backup/snapshot.ts'
import { migrateTo } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { withServicesOn } from '../support/sign-in-check.ts'
import { done, json, refused } from './expect.ts'
import { place } from './watchword.ts'

let postgres: Postgres

before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

test('every view reads the same from PostgreSQL', async (t) => {
  const { run: runHere } = place(t)
  const env = { WATCHWORD_DATABASE: await postgres.createDatabase('cli') }
  const run = (args: string, stdin = '') => runHere(args, { env, stdin })
  done(await run('migrate'), /Applied: 0001-initial/)
  done(await run('group create staff'))
  done(await run('user create Bob --group staff --password-stdin', 'violet anvil under 7 moons'))
  done(await run('user create a_b --no-password --superuser'))
  done(await run('user add-token bob --totp --name T --key-stdin', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'))
  done(await run('user disable a_b'))

  const list = async (args: string) => json(await run(`user list --json ${args}`))
  const [bob] = (await list('--search BO')).users
  assert.deepEqual([bob.username, bob.has_usable_device, bob.has_password], ['Bob', true, true])
  assert.equal((await list('--filter no-second-factor --filter disabled')).users[0].username, 'a_b')
  assert.equal((await list('--search _')).users.length, 1)
  assert.equal((await list('--limit 1')).next, 'a_b')
  assert.equal((await list('--after a_b --group staff')).users.length, 1)

  const shown = json(await run('user show bob --json'))
  assert.deepEqual([shown.groups, shown.devices.length, shown.waits.code], [['staff'], 1, 0])
  assert.match(shown.created_at, /Z$/)
  assert.equal(json(await run('group list --json')).groups[0].members, 1)

  const { events } = json(await run('audit list --json --user bob --since 1h'))
  assert.deepEqual(
    events.map(({ event }: { event: string }) => event),
    ['device-added', 'user-created'],
  )
  assert.equal((await run('audit export')).stdout.trimEnd().split('\n').length, 5)

  done(await run('keys rotate'), /anew with it: 1/)
  done(await run('keys prune'), /Removed/)
  done(await run('keys check'), /Every secret opens/)
})

test('a restore says when an empty database is of a later version than the backup', async (t) => {
  const { folder, env, runWords } = place(t)
  const target = { kind: 'sqlite', path: join(folder, 'early.sqlite3') } as const
  const db = await openDatabase(target)
  await migrateTo(db, Object.keys(migrations).slice(0, 1))
  await db.destroy()
  const keyFingerprint = await withServicesOn({ cwd: folder, env }, async ({ sealer }) =>
    sealer.fingerprint(),
  )
  const snapshot = await openSnapshot(target)
  const header = { madeAt: 1_700_000_000, keyFingerprint, keys: undefined }
  await writeBackup(join(folder, 'early.backup'), snapshot, header, () => {})
  await snapshot.close()

  const empty = { WATCHWORD_DATABASE: await postgres.createDatabase('later') }
  done(await runWords(['migrate'], { env: empty }))
  refused(
    await runWords(['restore', 'early.backup', '--yes'], { env: empty }),
    /tables of a later version.*one without tables/,
  )
})
