import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildDjangoSite, type DjangoSite } from '../support/django.ts'
import { environmentOf } from '../support/imports.ts'
import { startWorld, totp, type World } from '../world.ts'

const launcher = fileURLToPath(new URL('../../bin/watchword.js', import.meta.url))
const guide = readFileSync(new URL('../../docs/migrating.md', import.meta.url), 'utf8')
const NOW = 1_800_000_000
const hexKey = '3132333435363738393031323334353637383930'
const base32Key = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const password = 'violet anvil under 7 moons'

const people = `
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice
anna = User.objects.create_user('anna', password='${password}', first_name='Anna')
TOTPDevice.objects.create(user=anna, name='phone', key='${hexKey}')
Group.objects.create(name='Web Editors').user_set.add(anna)
User.objects.create_user('nopassword')
User.objects.create_user('no name', password='x')
`

describe('the guide for moving from Django', () => {
  let site: DjangoSite
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-migrating-'))
  before(async () => {
    site = buildDjangoSite(join(folder, 'site'))
    site.python(people)
    world = await startWorld()
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  it('is right, line by line, and the phone goes on working', async () => {
    const lines = /## From Django[\s\S]*?```sh\n([\s\S]*?)```/.exec(guide)?.[1]?.trim().split('\n') ?? []
    assert.equal(lines.length, 10)
    const said: string[] = []
    for (const line of lines) {
      const command = line
        .replace('npx watchword', `"${process.execPath}" "${launcher}"`)
        .replace('/srv/site/db.sqlite3', site.databaseFile)
      // On the evening: Django takes one more code before the site stops.
      if (line.includes('--update')) lastCode()
      said.push(
        execFileSync('sh', ['-c', command], {
          cwd: folder,
          env: environmentOf(world, folder),
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      )
    }
    assert.match(said[2] ?? '', /^leave out +no name .*\n?/m)
    assert.match(said[2] ?? '', /^make +anna .*"Web Editors" left out/m)
    assert.match(said[4] ?? '', /^Without a password: 1\./)
    assert.match(said[5] ?? '', /^Made: 2, .*left out: 1\. Groups made: 1\.$/m)
    assert.match(said[6] ?? '', /web-editors/)
    assert.match(said[7] ?? '', /#/)
    assert.match(said[8] ?? '', /^Made: 0, changed: 1, /m)
    assert.match(said[9] ?? '', /import-done/)

    world.clock.set(NOW)
    const signIn = async (otp: string) => {
      const browser = world.browser()
      const { status } = await browser.post('/auth/authenticate/', { username: 'anna', password, otp })
      return status
    }
    assert.equal(await signIn(totp(base32Key, NOW)), 400)
    assert.equal(await signIn(totp(base32Key, NOW + 30)), 200)
  })

  function lastCode(): void {
    site.python(`
import time
time.time = lambda: ${NOW}
from django_otp.plugins.otp_totp.models import TOTPDevice
assert TOTPDevice.objects.get().verify_token('${totp(base32Key, NOW)}')
`)
  }
})
