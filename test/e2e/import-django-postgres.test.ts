import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buildDjangoSite, type DjangoSite } from '../support/django.ts'
import { commandOn, importOn } from '../support/imports.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { startWorld, totp, type World } from '../world.ts'

const NOW = 1_800_000_000
const password = 'violet anvil under 7 moons'
const hexKey = '3132333435363738393031323334353637383930'
const base32Key = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

const people = `
import time
time.time = lambda: ${NOW}
from datetime import datetime, timezone
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
anna = User.objects.create_user('anna', password='${password}', first_name='Änna', last_name='M')
User.objects.filter(pk=anna.pk).update(date_joined=datetime(2026, 1, 31, 12, 34, 56, 789, tzinfo=timezone.utc))
assert TOTPDevice.objects.create(user=anna, name='phone', key='${hexKey}').verify_token('${totp(base32Key, NOW)}')
StaticDevice.objects.create(user=anna).token_set.create(token='abcd2345')
Group.objects.create(name='staff').user_set.add(anna)
User.objects.create_user('gone', password='x', is_active=False)
User.objects.bulk_create(User(username='many%d' % n, password='!') for n in range(1100))
`

describe('a move from Django on PostgreSQL', () => {
  let site: DjangoSite
  let postgres: Postgres
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-django-pg-'))
  before(async () => {
    postgres = await startPostgres()
    await postgres.createDatabase('site')
    site = buildDjangoSite(join(folder, 'site'), { folder: postgres.folder, database: 'site' })
    site.python(people)
    world = await startWorld()
    world.clock.set(NOW)
  })
  after(async () => {
    await world.close()
    await postgres.stop()
    rmSync(folder, { recursive: true })
  })

  it('takes everybody over, and the phone goes on working', async () => {
    const { people, summary } = importOn(world, folder)('django', '--database', postgres.url('site'))
    assert.deepEqual([summary.made, summary.left_out, summary.groups_made], [1102, 0, 1])
    const [anna, gone] = people
    assert.deepEqual(anna.details, [
      'password pbkdf2-sha256',
      'TOTP "phone"',
      'one-time codes: 1',
      'group staff',
    ])
    assert.deepEqual(gone.details, ['disabled', 'password pbkdf2-sha256'])
    const { created_at, display_name } = JSON.parse(
      commandOn(world, folder)('user', 'show', 'anna', '--json').stdout,
    )
    assert.deepEqual([created_at, display_name], ['2026-01-31T12:34:56Z', 'Änna M'])
    const signIn = async (otp: string) =>
      (await world.browser().post('/auth/authenticate/', { username: 'anna', password, otp })).status
    assert.equal(await signIn(totp(base32Key, NOW)), 400)
    assert.equal(await signIn(totp(base32Key, NOW + 30)), 200)
    assert.equal(await signIn('abcd-2345'), 200)
  })

  it('refuses a database that does not answer, in a sentence', async () => {
    const { status, stderr } = commandOn(world, folder)(
      'import',
      'django',
      '--database',
      postgres.url('nowhere'),
    )
    assert.deepEqual([status, stderr.trimEnd().split('\n').length], [1, 1])
    assert.match(stderr, /The database of the source failed: .*nowhere/)
  })
})
