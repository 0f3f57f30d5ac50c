import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commandOn, importOn } from '../support/imports.ts'
import { startWorld, type World } from '../world.ts'

const password = 'Käse und Brot, 7 Monde'

/** How `htpasswd` is told each of its formats. */
const formats = { bcrypt: '-B', md5: '-m', sha1: '-s', sha256: '-2', sha512: '-5', des: '-d', plain: '-p' }

describe('a move from a password file of Apache', () => {
  let world: World
  const folder = mkdtempSync(join(tmpdir(), 'ww-htpasswd-'))
  const file = join(folder, 'htpasswd')
  const groupFile = join(folder, 'htgroup')
  before(async () => {
    writeFileSync(file, '# made by htpasswd\n\n')
    for (const [name, flag] of Object.entries(formats)) {
      // What it says is that DES holds eight characters, and plain text is none.
      execFileSync('htpasswd', ['-i', flag, file, `by-${name}`], {
        input: password,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    }
    appendFileSync(file, 'by-md5:x:again\nno colon\n\xff:x\n', 'latin1')
    appendFileSync(file, `${'x'.repeat(100_000)}:y\nBy-SHA1:{SHA}AAAA\nwith space:$2y$05$x\n`)
    writeFileSync(
      groupFile,
      '# groups\nstaff: by-md5 by-bcrypt\nwiki: by-md5\nWeb Editors: by-sha1\nstaff: nobody\nbroken\n',
    )
    world = await startWorld()
  })
  after(async () => {
    await world.close()
    rmSync(folder, { recursive: true })
  })

  it('says of each line what becomes of it, and makes the rest', async () => {
    const importHtpasswd = importOn(world, folder)
    const { people, summary } = importHtpasswd('htpasswd', file, '--groups', groupFile)
    const by = (key: string) =>
      people
        .filter((line) => line.source_id === key)
        .map(({ action, details, notes }) => [action, ...details, ...notes].join('; '))
    assert.deepEqual(by('by-bcrypt'), ['made; password bcrypt; group staff'])
    assert.match(by('by-md5')[0] ?? '', /^made; password apr1; group staff; group wiki; weak password hash/)
    assert.match(by('by-md5')[1] ?? '', /^left-out; the source has this one twice/)
    assert.match(by('by-sha1')[0] ?? '', /unsalted sha1; .*group "Web Editors" left out/)
    for (const [name, why] of [
      ['by-des', /DES crypt, which holds eight characters.*: watchword user invite by-des$/],
      ['by-plain', /in clear, or of no format.*: watchword user invite by-plain$/],
    ] as const) {
      assert.match(by(name)[0] ?? '', /^made; no password; password left out/)
      assert.match(by(name)[0] ?? '', why)
    }
    assert.match(by('By-SHA1')[0] ?? '', /^left-out; the name is that of "by-sha1"/)
    assert.match(by('with space')[0] ?? '', /^left-out; /)
    assert.match(by('member nobody')[0] ?? '', /not in the password file/)
    assert.match(by('group line 6')[0] ?? '', /not of the form/)
    const because = people.filter(({ username }) => username === '').map(({ notes }) => notes[0])
    for (const reason of [/no colon/, /not UTF-8/, /too long/]) {
      assert.equal(because.filter((note) => reason.test(note)).length, 1, String(reason))
    }
    assert.equal(summary.made, Object.keys(formats).length)
    assert.equal(summary.without_password, 2)
    assert.equal(summary.weak_passwords, 2)
    assert.equal(JSON.stringify(people).includes(password), false)
    const again = importHtpasswd('htpasswd', file, '--groups', groupFile)
    assert.deepEqual([again.summary.made, again.summary.unchanged], [0, summary.made])
  })

  it('lets everybody in with the same password, which is then hashed anew (SEC-PW-11)', async () => {
    for (const name of Object.keys(formats)) {
      const login = async (typed: string) =>
        (await world.browser().post('/auth/login/', { username: `by-${name}`, password: typed })).status
      const isTaken = !['des', 'plain'].includes(name)
      assert.equal(await login(`${password}.`), 401, name)
      assert.equal(await login(password), isTaken ? 200 : 401, name)
    }
    const rows = await world.services.db.selectFrom('password_hash').select('hash').execute()
    assert.equal(rows.length, 5)
    for (const { hash } of rows) assert.match(hash, /^\$argon2id\$/)
  })

  it('refuses a file that is not there, in a sentence', () => {
    const { status, stderr } = commandOn(world, folder)('import', 'htpasswd', join(folder, 'nowhere'))
    assert.equal(status, 1)
    assert.match(stderr, /nowhere cannot be read: .*Check the file/)
  })
})
