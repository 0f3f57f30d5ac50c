import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildDjangoSite, type DjangoSite } from '../support/django.ts'
import { commandOn, importOn } from '../support/imports.ts'
import { startWorld, totp, type World } from '../world.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const NOW = 1_800_000_000
const password = 'Käse und Brot, 7 Monde'
const hexKey = '3132333435363738393031323334353637383930'
const base32Key = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const seedSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

const hashers = [
  ...['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt'],
  ...['md5', 'sha1', 'unsalted_md5', 'unsalted_sha1'],
]

const code = (steps: number) => totp(base32Key, NOW + 30 * steps)
const hotp = (counter: number) =>
  execFileSync('oathtool', ['--hotp', '--counter', String(counter), hexKey], { encoding: 'utf8' }).trim()

/** What the site's people did before the move; the clock of Django stands at that of the test. */
const people = () => `
import time
time.time = lambda: ${NOW}
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_hotp.models import HOTPDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from auth_app.models import UserProfile

hash = make_password('${password}', hasher='md5')
def person(name, **more):
    return User.objects.create(username=name, **{'password': hash, **more})

for name in ${JSON.stringify(hashers)} + ['crypt']:
    person('by_' + name, password=make_password('${password}', hasher=name))

anna = person('anna', first_name='Änna', last_name='Müller', email='anna@example.com', is_staff=True)
phone = TOTPDevice.objects.create(user=anna, name='phone', key='${hexKey}')
assert phone.verify_token('${code(0)}') and phone.verify_token('${code(1)}') and phone.drift == 1
token = HOTPDevice.objects.create(user=anna, name='token', key='${hexKey}', counter=7)
assert token.verify_token('${hotp(7)}')
codes = StaticDevice.objects.create(user=anna, name='backup')
codes.token_set.create(token='abcd2345')
codes.token_set.create(token='wxyz7777')
codes.token_set.create(token='123456')

half = person('half')
TOTPDevice.objects.create(user=half, name='default', key='${hexKey}', confirmed=False)
lost = person('lost')
TOTPDevice.objects.create(user=lost, name='default', key='no hexadecimal')
seed = person('seed')
device = TOTPDevice.objects.create(user=seed, name='default', key='${seedSecret}')
UserProfile.objects.create(user=seed, shared_secret='${seedSecret}', otp_device=device)
UserProfile.objects.create(user=person('seed2'), shared_secret='${base32Key}')

from django_otp.plugins.otp_email.models import EmailDevice
EmailDevice.objects.create(user=person('mailed'), name='mail')

person('gone', is_active=False)
person('root', is_superuser=True)
nobody = person('nopassword')
nobody.set_unusable_password()
nobody.save()
person('with space')
person('bob')
person('Bob')
for name in ('editors', 'Web Editors'):
    Group.objects.create(name=name).user_set.add(anna)
`

describe('a move from Django', () => {
  let site: DjangoSite
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-django-'))
  before(async () => {
    site = buildDjangoSite(join(folder, 'site'))
    site.python(people())
    world = await startWorld({ config: { password: { minimumLength: 8 } } })
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  const command = (...words: string[]) => commandOn(world, folder)(...words)
  const importDjango = (...more: string[]) =>
    importOn(world, folder)('django', '--database', `sqlite:${site.databaseFile}`, ...more)
  const login = async (username: string, typed = password) => {
    const browser = world.browser()
    const reply = await browser.post('/auth/login/', { username, password: typed })
    return { browser, reply }
  }
  const verify = async (username: string, otp: string) => {
    const { browser, reply } = await login(username)
    assert.deepEqual([reply.status, reply.body.next], [200, 'totp'], username)
    return (await browser.post('/auth/verify/', { otp })).status
  }
  const count = async () => (await world.services.db.selectFrom('user').select('id').execute()).length

  it('shows first what would become of whom, and changes nothing', async () => {
    const { people, summary } = importDjango('--dry-run', '--seed-profile')
    const notes = Object.fromEntries(
      people.map((line) => [line.username, [line.action, ...line.notes].join('; ')]),
    )
    assert.match(notes['with space'] ?? '', /^left-out; .*letters, digits/)
    assert.match(notes.Bob ?? '', /^left-out; .*that of "bob"/)
    assert.match(notes.by_crypt ?? '', /^made; password left out/)
    assert.match(notes.by_md5 ?? '', /^made; weak password hash/)
    assert.match(notes.lost ?? '', /not hexadecimal.*reset-second-factor lost/)
    assert.match(notes.root ?? '', /superuser there and not here/)
    assert.match(notes.anna ?? '', /"Web Editors" left out.*--rename-group/)
    assert.match(notes.anna ?? '', /one-time codes left out: 1/)
    assert.equal(notes.half, 'made; weak password hash (md5) until the first sign-in')
    assert.equal(summary.made, people.length - 2)
    assert.equal(await count(), 0)

    const table = command('import', 'django', '--database', `sqlite:${site.databaseFile}`, '--dry-run')
    assert.equal(table.status, 0)
    assert.match(table.stdout, /^WHAT +USERNAME +DETAILS\n/)
    assert.match(
      table.stdout,
      /^make +anna +password md5, TOTP "phone", HOTP "token", one-time codes: 2, group editors/m,
    )
    assert.match(table.stdout, /^leave out +with space/m)
    assert.match(table.stdout, /base32; see --base32-keys/)
    assert.match(table.stdout, /Would be made: \d+, changed: 0, unchanged: 0, left out: 2\. Groups made: 1\./)
    assert.match(table.stderr, /Nothing was changed/)
    for (const secret of [hexKey, seedSecret, 'abcd2345', '123456']) {
      assert.equal(table.stdout.includes(secret) || JSON.stringify(people).includes(secret), false)
    }
  })

  it('takes everybody over at once, and a second time changes nothing', async () => {
    const { summary } = importDjango('--seed-profile', '--rename-group', 'Web Editors=web-editors')
    assert.equal(await count(), summary.made)
    const again = importDjango('--seed-profile', '--rename-group', 'Web Editors=web-editors')
    assert.deepEqual([again.summary.made, again.summary.changed], [0, 0])
    assert.equal(again.summary.unchanged, summary.made)
    assert.equal(await count(), summary.made)

    const shown = JSON.parse(command('user', 'show', 'anna', '--json').stdout)
    assert.equal(shown.display_name, 'Änna Müller')
    assert.deepEqual(shown.groups, ['editors', 'web-editors'])
    assert.equal(shown.superuser, false)
    assert.equal(JSON.parse(command('user', 'show', 'root', '--json').stdout).superuser, false)
    assert.notEqual(JSON.parse(command('user', 'show', 'gone', '--json').stdout).disabled_at, null)
    const events = (await world.audit()).filter(({ event }) => event === 'user-imported')
    assert.equal(events.length, summary.made)
  })

  it('lets everybody in with the password of every hasher, which is then hashed anew (SEC-PW-11)', async () => {
    for (const name of hashers) {
      const wrong = await login(`by_${name}`, `${password}.`)
      assert.equal(wrong.reply.status, 401, name)
      const { reply } = await login(`by_${name}`)
      assert.equal(reply.status, 200, name)
    }
    const rows = await world.services.db
      .selectFrom('password_hash')
      .innerJoin('user', 'user.id', 'user_id')
      .select(['username', 'hash'])
      .execute()
    for (const { username, hash } of rows.filter(({ username }) => username.startsWith('by_')))
      assert.match(hash, /^\$argon2id\$/, username)
    for (const name of ['by_crypt', 'nopassword', 'gone'])
      assert.equal((await login(name)).reply.status, 401, name)
  })

  it('takes the next code of the same phone, and not the one that Django took last (SEC-OTP-2)', async () => {
    world.clock.set(NOW)
    // Django took those of this step and the next.
    assert.equal(await verify('anna', code(0)), 400)
    assert.equal(await verify('anna', code(1)), 400)
    world.clock.set(NOW + 60)
    assert.equal(await verify('anna', code(2)), 200)
    assert.equal(await verify('anna', code(2)), 400)
  })

  it('takes the next code of a counter token, and none before it (SEC-OTP-13)', async () => {
    assert.equal(await verify('anna', hotp(7)), 400)
    assert.equal(await verify('anna', hotp(8)), 200)
    assert.equal(await verify('anna', hotp(8)), 400)
  })

  it('takes a static token once, in any spelling, and keeps none in clear', async () => {
    const stored = JSON.stringify(await world.services.db.selectFrom('recovery_code').selectAll().execute())
    assert.equal(stored.includes('abcd2345'), false)
    assert.equal(await verify('anna', 'abcd2346'), 400)
    assert.equal(await verify('anna', 'ABCD-2345'), 200)
    assert.equal(await verify('anna', 'abcd2345'), 400)
    assert.equal(await verify('anna', 'wxyz 7777'), 200)
    assert.equal(await verify('anna', '123456'), 400)
  })

  it('reads the base32 secret that a tutorial puts where hexadecimal belongs', async () => {
    world.clock.set(NOW + 120)
    assert.equal(await verify('seed', totp(seedSecret, NOW + 120)), 200)
    assert.equal(await verify('seed2', totp(base32Key, NOW + 120)), 200)
  })

  it('lets nobody who had a second factor set up another with the password alone (SEC-AUTH-4)', async () => {
    const { browser, reply } = await login('lost')
    assert.equal(reply.body.next, 'totp')
    assert.equal((await browser.post('/auth/register-secret/')).status >= 400, true)
    assert.equal((await login('mailed')).reply.body.next, 'totp')
    // Whoever never confirmed one had none.
    assert.equal((await login('half')).reply.body.next, 'enrol-totp')
  })

  it('follows what changed at the source when asked, and undoes nothing that was done here', async () => {
    site.python(`
import time
time.time = lambda: ${NOW + 300}
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice
anna = User.objects.get(username='anna')
anna.first_name = 'Anna'
anna.save()
assert TOTPDevice.objects.get(user=anna).verify_token('${totp(base32Key, NOW + 300)}')
half = User.objects.get(username='half')
half.set_password('${password} anew')
half.is_active = True
half.save()
User.objects.filter(username='seed2').update(is_active=False)
User.objects.create(username='late')
User.objects.filter(username='by_md5').delete()
`)
    assert.equal(command('user', 'delete', 'by_sha1', '--yes').status, 0)
    const unasked = importDjango('--seed-profile')
    assert.deepEqual([unasked.summary.made, unasked.summary.changed], [1, 0])
    const dry = importDjango('--seed-profile', '--update', '--dry-run')
    const { people, summary } = importDjango('--seed-profile', '--update')
    assert.deepEqual(dry.summary, summary)
    const changed = Object.fromEntries(
      people
        .filter(({ action }) => action === 'changed')
        .map((line) => [line.username, line.details.join('; ')]),
    )
    assert.deepEqual(Object.keys(changed).toSorted(), ['anna', 'half', 'seed2'])
    assert.match(changed.anna ?? '', /used codes of "phone".*display name "Anna Müller"/)
    assert.match(changed.half ?? '', /password pbkdf2-sha256/)
    assert.equal(changed.seed2, 'disabled')
    world.clock.set(NOW + 300)
    assert.equal(await verify('anna', totp(base32Key, NOW + 300)), 400)
    assert.equal((await login('half')).reply.status, 401)
    assert.equal((await login('half', `${password} anew`)).reply.status, 200)
    assert.equal((await login('seed2')).reply.status, 401)
    // Hashed anew at a sign-in here, and the same there: the source has nothing new to say.
    assert.equal((await login('by_bcrypt')).reply.status, 200)
    assert.equal((await login('by_sha1')).reply.status, 401)
  })

  it('refuses what is no site of Django, in a sentence (FT-FUZZ-5)', () => {
    const tried = (database: string, ...more: string[]) => {
      const { status, stdout, stderr } = command(
        'import',
        'django',
        '--database',
        database,
        '--dry-run',
        ...more,
      )
      assert.equal(stdout, '')
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
      return `${status} ${stderr}`
    }
    assert.match(tried('sqlite:nowhere'), /^1 .*nowhere cannot be read/)
    assert.match(tried(`sqlite:${main}`), /^1 .*cannot be read as a database of SQLite/)
    assert.match(tried('mysql://x'), /^1 .*no database/)
    assert.match(tried(`sqlite:${site.databaseFile}`, '--user-table', 'people'), /^1 .*no table "people"/)
    assert.match(tried('postgres://u:geheim@localhost/x'), /^2 (?!.*geheim).*command line/)
  })
})
