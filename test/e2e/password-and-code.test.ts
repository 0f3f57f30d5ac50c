import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { disableUser } from '../../src/actions/disable-user.ts'
import { temporaryFolder } from '../support/apache.ts'
import { contents, type ProtectedWorld, place, startProtected } from '../support/protected.ts'
import { type Enrolled, PASSWORD, type World } from '../world.ts'

const operator = { operator: 'test' }

const policy: World['config']['policies'][string] = {
  ...{
    groups: [],
    users: [],
    networks: [],
    assertion: false,
    lease: 30,
    proof: 'two-factor',
    within: undefined,
    codeWindow: 600,
  },
  access: ['session', 'password-code'],
}

interface Answer {
  readonly status: number
  readonly text: string
}

// Real Apache, configured by the program; curl and Subversion as people use them, codes of oathtool.
describe('a program that sends a password and code in one field', () => {
  const home = temporaryFolder('ww-home-')
  let here: ProtectedWorld
  let people = 0

  before(async () => {
    here = await startProtected({
      name: 'localhost',
      modules: ['dav', 'dav_svn'],
      files: prepare,
      policies: { dav: policy, svn: policy },
      toml: '[policies.dav]\naccess = ["session", "password-code"]\n[policies.svn]\naccess = ["session", "password-code"]\n',
      wiki: (folder) => `
  DocumentRoot "${folder}/htdocs"
  ScriptAlias "/cgi/" "${folder}/cgi/"
  <Directory "${folder}/htdocs">
    Require all granted
    DirectoryIndex index.html
  </Directory>
  <Directory "${folder}/cgi">
    Require all granted
  </Directory>
  ${place('/', 'two-factor')}
  ${place('/cgi', 'dav')}
  ${place('/dav', 'dav')}
  ${place('/svn', 'svn')}
  Alias "/dav" "${folder}/htdocs"
  Alias "/svn" "${folder}/htdocs"
  <Location "/repository">
    DAV svn
    SVNPath "${folder}/repository"
    Include watchword/protect-svn.conf
  </Location>`,
      shop: (folder) => `DocumentRoot "${folder}/htdocs"`,
    })
  })
  after(async () => {
    await here?.close()
    rmSync(home, { recursive: true, force: true })
  })

  const somebody = () => here.world.enrolled(`person${people++}`)
  const credentialOf = ({ phone }: Enrolled) => `${PASSWORD}${phone.code()}`

  /** What curl gets, with the address that it comes from. */
  function curl(
    path: string,
    { username }: Pick<Enrolled, 'username'>,
    password: string,
    ...more: readonly string[]
  ): Promise<Answer> {
    const { host, port } = new URL(here.wiki)
    const resolve = ['--resolve', `localhost:${port}:127.0.0.1`]
    const options = [
      '-s',
      '-k',
      '--max-time',
      '20',
      '-i',
      '-u',
      `${username}:${password}`,
      ...resolve,
      ...more,
    ]
    return new Promise((done, failed) => {
      execFile('curl', [...options, `https://${host}${path}`], (error, text) => {
        if (error === null) done({ status: Number(text.split(' ', 2)[1]), text })
        else failed(error)
      })
    })
  }
  const statusOf = async (...asked: Parameters<typeof curl>) => (await curl(...asked)).status

  it('is let in as by two factors, again and again, and the application sees neither (SEC-FCGI-9)', async () => {
    const person = await somebody()
    const credential = credentialOf(person)
    const first = await curl('/cgi/env', person, credential)
    assert.equal(first.status, 200)
    assert.match(first.text, /^WW_AMR=pwd,otp$/m)
    assert.match(first.text, new RegExp(`^REMOTE_USER=${person.username}$`, 'm'))
    assert.doesNotMatch(first.text, /AUTHORIZATION|REMOTE_PASSWD|battery/)
    for (let count = 0; count < 8; count++)
      assert.equal(await statusOf('/dav/index.html', person, credential), 200)
    assert.equal(await statusOf('/dav/index.html', person, credential, '-X', 'PROPFIND'), 405)
    const login = { username: person.username, password: PASSWORD, otp: person.phone.code() }
    assert.equal((await here.world.browser().post('/auth/authenticate/', login)).status, 400)
    here.world.clock.advance(600)
    const over = await curl('/dav/index.html', person, credential)
    assert.equal(over.status, 401)
    assert.match(over.text, /^WWW-Authenticate: Basic realm="Watchword", charset="UTF-8"\r$/im)
    assert.equal(await statusOf('/dav/index.html', person, credentialOf(person)), 200)
  })

  it('is let in with all sixteen requests that it begins with, for one code (SEC-OTP-2)', async () => {
    const person = await somebody()
    const credential = credentialOf(person)
    const statuses = await Promise.all(
      Array.from({ length: 16 }, () => statusOf('/dav/index.html', person, credential)),
    )
    assert.deepEqual(new Set(statuses), new Set([200]))
    const events = (await here.world.audit()).filter(({ user_id }) => user_id === person.id)
    assert.equal(events.filter(({ event }) => event === 'code-window-opened').length, 1)
    assert.equal(events.filter(({ event }) => event === 'code-refused').length, 0)
  })

  it('comes in from its address and to its policy alone, and nowhere with the password alone (SEC-AUTH-4)', async () => {
    const person = await somebody()
    assert.equal(await statusOf('/dav/index.html', person, PASSWORD), 401)
    const credential = credentialOf(person)
    assert.equal(await statusOf('/dav/index.html', person, credential), 200)
    assert.equal(await statusOf('/dav/index.html', person, credential, '--interface', '127.0.0.2'), 401)
    assert.equal(await statusOf('/svn/index.html', person, credential), 401)
    assert.equal(await statusOf('/index.html', person, credential), 401)
    assert.equal(await statusOf('/dav/index.html', person, PASSWORD), 401)
    assert.equal(await statusOf('/dav/index.html', person, credential), 200)
  })

  it('checks out and commits with Subversion by one code, though each asks many times', async () => {
    const person = await somebody()
    const certificate = join(here.apache.folder, 'certificate.pem')
    const svn = (password: string, ...args: readonly string[]) =>
      new Promise<{ readonly ok: boolean; readonly text: string }>((done) => {
        const words = [
          ...['--non-interactive', '--no-auth-cache', '--username', person.username, '--password', password],
          ...['--config-option', `servers:global:ssl-authority-files=${certificate}`, ...args],
        ]
        const env = { PATH: process.env.PATH, HOME: home }
        execFile('svn', words, { env, cwd: home, timeout: 30_000 }, (error, out, problem) =>
          done({ ok: error === null, text: out + problem }),
        )
      })
    const address = `${here.wiki}/repository`
    assert.equal((await svn(PASSWORD, 'checkout', address, 'refused')).ok, false)
    const credential = credentialOf(person)
    const checkedOut = await svn(credential, 'checkout', address, 'copy')
    assert.ok(checkedOut.ok, checkedOut.text)
    writeFileSync(join(home, 'copy', 'new.txt'), 'by a program\n')
    assert.ok((await svn(credential, 'add', 'copy/new.txt')).ok)
    const committed = await svn(credential, 'commit', '--message', 'Add', 'copy')
    assert.ok(committed.ok, committed.text)
    assert.match((await svn(credential, 'log', address)).text, new RegExp(`\\| ${person.username} \\|`))
    const events = (await here.world.audit()).filter(({ user_id }) => user_id === person.id)
    assert.equal(events.filter(({ event }) => event === 'code-window-opened').length, 1)
    here.world.clock.advance(600)
    const over = await svn(credential, 'update', 'copy')
    assert.ok(!over.ok && /Authentication failed/.test(over.text), over.text)
    assert.equal(readFileSync(join(home, 'copy', 'new.txt'), 'utf8'), 'by a program\n')
  })

  it('is refused with a code that was used to sign in (SEC-OTP-2)', async () => {
    const person = await somebody()
    const login = { username: person.username, password: PASSWORD, otp: person.phone.code() }
    assert.equal((await here.world.browser().post('/auth/authenticate/', login)).status, 200)
    assert.equal(await statusOf('/dav/index.html', person, `${PASSWORD}${login.otp}`), 401)
  })

  it('waits after five guesses as every sign-in does, and so does the page then (SEC-RATE-6)', async () => {
    const person = await somebody()
    for (let count = 0; count < 5; count++) {
      assert.equal(await statusOf('/dav/index.html', person, `${PASSWORD}00000${count}`), 401)
    }
    assert.equal(await statusOf('/dav/index.html', person, credentialOf(person)), 401)
    const login = { username: person.username, password: PASSWORD, otp: person.phone.code() }
    assert.equal((await here.world.browser().post('/auth/authenticate/', login)).status, 429)
    const events = (await here.world.audit()).filter(({ user_id }) => user_id === person.id)
    assert.equal(events.filter(({ event }) => event === 'code-refused').length, 5)
  })

  it('is refused with the next request once the account is disabled (SEC-AUTH-19)', async () => {
    const person = await somebody()
    const credential = credentialOf(person)
    assert.equal(await statusOf('/dav/index.html', person, credential), 200)
    await disableUser(here.world.services, person.username, operator)
    assert.equal(await statusOf('/dav/index.html', person, credential), 401)
  })

  it('leaves numbers, and no secret, for whoever watches', async () => {
    const text = await here.world.edge.metrics.text()
    assert.match(text, /^watchword_password_codes_total\{outcome="allowed"\} \d+$/m)
    assert.match(text, /^watchword_password_codes_total\{outcome="no-code"\} \d+$/m)
    assert.match(text, /^watchword_password_codes_total\{outcome="other-address"\} 1$/m)
  })
})

/** The files of other tests, and a repository that Apache may write. */
function prepare(folder: string): void {
  contents(folder)
  const repository = join(folder, 'repository')
  mkdirSync(repository)
  execFileSync('svnadmin', ['create', repository])
  // Apache serves as this user where the tests run as root.
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'www-data:www-data', repository])
}
