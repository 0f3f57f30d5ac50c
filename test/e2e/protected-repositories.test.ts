import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { changeGroup } from '../../src/actions/change-group.ts'
import { makeAppPasswordFor } from '../../src/actions/make-app-password.ts'
import { systemClock } from '../../src/compose.ts'
import { temporaryFolder } from '../support/apache.ts'
import { type ProtectedWorld, place, startProtected, type Visitor } from '../support/protected.ts'
import { PASSWORD } from '../world.ts'

const operator = { operator: 'test' }

/** The settings of the guide for rules of paths. */
const repositories = {
  groups: [],
  users: [],
  proof: 'two-factor',
  within: undefined,
  networks: [],
  assertion: false,
  lease: 0,
  access: ['session', 'app-password'],
} as const
const canary = 'kept from strangers'

interface Ended {
  readonly code: number
  readonly output: string
}

// Programs as people use them, against Apache with the places of the guide.
describe('programs in protected places', () => {
  const home = temporaryFolder('ww-home-')
  let here: ProtectedWorld
  const appPasswords = new Map<string, string>()
  const browsers = new Map<string, Visitor>()
  let revoked = ''

  before(async () => {
    here = await startProtected({
      name: 'localhost',
      modules: ['dav', 'dav_fs', 'dav_lock', 'dav_svn', 'authz_svn'],
      leases: true,
      policies: { repositories },
      toml: '[policies.repositories]\naccess = ["session", "app-password"]\nlease = 0\n',
      files: prepare,
      wiki: (folder) => {
        const withRules = (path: string, rules: string, policy: string, more = '') => `
  <Location "${path}">
    DAV svn
    SVNPath "${folder}/svn"
    AuthzSVNAccessFile "${rules}"
    SVNPathAuthz short_circuit
    ${more}
    Include watchword/protect-${policy}.conf
  </Location>`
        return `
  <Location "/svn">
    DAV svn
    SVNPath "${folder}/svn"
    Include watchword/protect-two-factor.conf
  </Location>
  ${withRules('/rules', `${folder}/authz`, 'repositories')}
  ${withRules('/leased', `${folder}/authz-for-all`, 'two-factor')}
  ${withRules('/unasked', `${folder}/authz-for-all`, 'repositories', 'AuthzSVNNoAuthWhenAnonymousAllowed On')}
  ${withRules('/unheeded', `${folder}/authz`, 'repositories', 'AuthzSVNAuthoritative Off')}
  ${withRules('/half', `${folder}/authz`, 'repositories', 'AuthzSVNAnonymous Off\nSVNPathAuthz On')}
  <Location "/public-by-mistake">
    DAV svn
    SVNPath "${folder}/svn"
    AuthzSVNAccessFile "${folder}/authz-for-all"
    Include watchword/protect-two-factor.conf
  </Location>
  ScriptAlias "/git/" "/usr/lib/git-core/git-http-backend/"
  <Directory "/usr/lib/git-core">
    Require all denied
    <Files "git-http-backend">
      Require all granted
    </Files>
  </Directory>
  <Location "/git">
    SetEnv GIT_PROJECT_ROOT "${folder}/git"
    SetEnv GIT_HTTP_EXPORT_ALL
    Include watchword/protect-two-factor.conf
  </Location>
  DavLockDB "${folder}/locks/db"
  Alias "/share" "${folder}/share"
  Alias "/staff" "${folder}/staff"
  <Directory "${folder}">
    Require all granted
  </Directory>
  <Location "/share">
    Dav On
    Include watchword/protect-two-factor.conf
  </Location>
  ${place('/staff', 'group-staff', '\n    Dav On')}`
      },
      shop: () => '',
    })
    await changeGroup(here.world.services, { kind: 'create', group: 'staff' }, operator)
    for (const name of ['ben', 'ada']) {
      const { browser } = await here.world.enrolled(name)
      browsers.set(name, here.visitor(browser))
      revoked = await make(name)
      const { body } = await browser.get('/auth/app-passwords/')
      assert.equal((await browser.delete(`/auth/app-passwords/${body.app_passwords[0].id}/`)).status, 200)
      appPasswords.set(name, await make(name))
    }
  })
  after(async () => {
    await here?.close()
    rmSync(home, { recursive: true, force: true })
  })

  async function make(username: string): Promise<string> {
    const wanted = { name: 'programs', policies: ['two-factor', 'repositories'], days: undefined }
    const made = await makeAppPasswordFor(here.world.services, username, { wanted, by: operator })
    assert.equal(made.kind, 'made')
    return made.kind === 'made' ? made.appPassword : ''
  }
  const passwordOf = (name: string) => appPasswords.get(name) ?? ''

  /** To its end, at home, with nobody to ask for a password. */
  const run = (program: string, args: readonly string[], stdin = ''): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, HOME: home, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' }
      const child = execFile(program, args, { env, cwd: home, timeout: 30_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
      )
      child.stdin?.on('error', () => {}) // It may end before it has read all.
      child.stdin?.end(stdin)
    })
  const ok = async (ended: Promise<Ended>): Promise<string> => {
    const { code, output } = await ended
    assert.equal(code, 0, output)
    return output
  }
  const refused = async (ended: Promise<Ended>, why: RegExp): Promise<void> => {
    const { code, output } = await ended
    assert.deepEqual([code === 0, output.includes(canary)], [false, false], output)
    assert.match(output, why)
  }
  const certificate = () => join(here.apache.folder, 'certificate.pem')

  describe('Subversion', () => {
    const svn = (name: string, password: string, ...args: readonly string[]) =>
      run('svn', [
        ...['--non-interactive', '--no-auth-cache', '--username', name, '--password', password],
        ...['--config-option', `servers:global:ssl-authority-files=${certificate()}`],
        ...args,
      ])
    const own = (name: string, ...args: readonly string[]) => svn(name, passwordOf(name), ...args)
    const address = () => `${here.wiki}/svn`
    const rules = () => `${here.wiki}/rules`

    it('checks out and commits in the name of who owns the app password', async () => {
      await ok(own('ada', 'checkout', address(), 'svn'))
      assert.equal(readFileSync(join(home, 'svn', 'trunk', 'file.txt'), 'utf8'), canary)
      writeFileSync(join(home, 'svn', 'trunk', 'new.txt'), 'by ada\n')
      await ok(own('ada', 'add', 'svn/trunk/new.txt'))
      await ok(own('ada', 'commit', '--message', 'Add', 'svn'))
      await ok(
        own('ada', 'move', '--message', 'Move', `${address()}/trunk/new.txt`, `${address()}/trunk/old.txt`),
      )
      const log = await ok(own('ada', 'log', address()))
      assert.deepEqual(log.match(/^r\d+ \| \w+/gm), [
        'r3 | ada',
        'r2 | ada',
        `r1 | ${process.env.USER ?? 'root'}`,
      ])
    })

    it('reads by the rules of paths for that person', async () => {
      const listed = await ok(own('ben', 'list', '--recursive', rules()))
      assert.deepEqual([listed.includes('trunk/file.txt'), listed.includes('inner')], [true, false])
      await refused(own('ben', 'cat', `${rules()}/inner/file.txt`), /403|forbidden/i)
      const copy = ['--message', 'No', `${rules()}/inner`, `${rules()}/trunk/copied`]
      for (const args of [
        ['mkdir', '--message', 'No', `${rules()}/trunk/ben`],
        ['copy', ...copy],
        ['checkout', `${rules()}/inner`, 'not'],
      ]) {
        await refused(own('ben', ...args), /403|forbidden|authoriz/i)
      }
      await ok(own('ben', 'checkout', rules(), 'of-ben'))
      assert.deepEqual(readdirSync(join(home, 'of-ben')).toSorted(), ['.svn', 'drafts', 'trunk'])
    })

    it('writes, copies and moves by the rules of paths for that person (SEC-FCGI-10)', async () => {
      await ok(own('ada', 'checkout', rules(), 'of-ada'))
      writeFileSync(join(home, 'of-ada', 'inner', 'by-ada.txt'), 'by ada\n')
      await ok(own('ada', 'add', 'of-ada/inner/by-ada.txt'))
      await ok(own('ada', 'commit', '--message', 'Add', 'of-ada'))
      const by = (name: string, command: string, ...paths: readonly string[]) =>
        own(name, command, '--message', 'By rules', ...paths.map((path) => `${rules()}${path}`))
      await ok(by('ben', 'mkdir', '/drafts/of-ben'))
      await ok(by('ben', 'copy', '/trunk/file.txt', '/drafts/of-ben/copy.txt'))
      await ok(by('ben', 'move', '/drafts/of-ben', '/drafts/moved'))
      await ok(by('ada', 'copy', '/drafts/moved', '/inner/taken'))
      for (const [command, ...paths] of [
        ['mkdir', '/trunk/of-ben'],
        ['copy', '/drafts/moved', '/trunk/of-ben'],
        ['move', '/trunk/file.txt', '/drafts/file.txt'],
        ['delete', '/trunk/file.txt'],
      ] as const) {
        await refused(by('ben', command, ...paths), /403|forbidden/i)
      }
      const log = await ok(own('ben', 'log', rules()))
      assert.deepEqual(log.match(/^r\d+ \| ben/gm)?.length, 3)
    })

    it('lets nothing be written past the rules, whatever is sent (SEC-FCGI-10)', async () => {
      const authorization = basic('ben', passwordOf('ben'))
      const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
        here.visitor().get(`${rules()}${path}`, { authorization, ...headers }, method, body)
      const skel = { 'content-type': 'application/vnd.svn-skel' }
      const begun = await send('POST', '/!svn/me', skel, '( create-txn )')
      assert.equal(begun.status, 201)
      const draft = `/!svn/txr/${begun.headers['svn-txn-name']}`
      assert.equal((await send('PUT', `${draft}/drafts/sent.txt`, {}, 'x')).status, 201)
      const statuses = await Promise.all([
        send('PUT', `${draft}/trunk/sent.txt`, {}, 'x'),
        send('PUT', `${draft}/inner/sent.txt`, {}, 'x'),
        send('MKCOL', `${draft}/inner/sent`),
        send('DELETE', `${draft}/trunk/file.txt`),
        send('COPY', '/!svn/rvr/1/inner', { destination: `${rules()}${draft}/drafts/inner` }),
        send('COPY', '/!svn/rvr/1/inner/file.txt', { destination: `${rules()}${draft}/drafts/inner.txt` }),
        send('COPY', '/!svn/rvr/1/trunk', { destination: `${rules()}${draft}/inner/trunk` }),
        send('MOVE', '/inner/file.txt', { destination: `${rules()}/drafts/inner.txt` }),
        send('GET', '/!svn/rvr/1/inner/file.txt'),
      ])
      for (const { status, body } of statuses)
        assert.deepEqual([status, body.includes(canary)], [403, false], body)
      const { status } = await here.visitor().get(`${rules()}/!svn/me`, skel, 'POST', '( create-txn )')
      assert.equal(status, 401)
    })

    it('is opened or broken by the lines that the doctor names, and by leases', async () => {
      const { status, body } = await here.visitor().get(`${here.wiki}/unasked/trunk/file.txt`, {})
      assert.deepEqual([status, body.includes(canary)], [500, false])
      assert.equal(await ok(own('ben', 'cat', `${here.wiki}/unheeded/inner/file.txt`)), canary)
      assert.match(await ok(own('ben', 'list', '--recursive', `${here.wiki}/half`)), /inner\/file\.txt/)
      const ben = browsers.get('ben') ?? assert.fail('ben has a browser')
      const leased = (path: string) => ben.open(`${here.wiki}/leased${path}`)
      assert.equal((await leased('/inner/file.txt')).status, 403)
      // Nothing is leased while the clocks of Apache and Watchword differ.
      here.world.clock.set(systemClock())
      const seen: string[] = []
      while (!seen.includes(canary) && seen.length < 20) {
        assert.equal((await leased('/trunk/file.txt')).body, canary)
        seen.push((await leased('/inner/file.txt')).body)
      }
      assert.equal(seen.at(-1), canary)
      for (let tries = 0; tries < 3; tries++)
        assert.equal((await ben.open(`${here.wiki}/rules/inner/file.txt`)).status, 403)
    })

    it('is refused with any other password, or none', async () => {
      for (const password of [revoked, PASSWORD, 'wrong', '']) {
        await refused(svn('ada', password, 'list', address()), /E170001|E215004/)
      }
    })

    it('asks also where the rules of paths let everybody read', async () => {
      for (const path of ['', '/trunk/file.txt']) {
        const { status, body } = await here
          .visitor()
          .get(`${here.wiki}/public-by-mistake${path}`, { accept: '*/*' })
        assert.deepEqual([status, body.includes(canary)], [401, false])
      }
    })
  })

  describe('Git', () => {
    const git = (name: string, password: string, ...args: readonly string[]) =>
      run('git', [
        ...['-c', `http.sslCAInfo=${certificate()}`, '-c', 'user.name=A', '-c', 'user.email=a@example.net'],
        ...['-c', `credential.helper=!f() { echo username=${name}; echo password=${password}; }; f`],
        ...args,
      ])
    const address = () => `${here.wiki}/git/wiki.git`
    const clone = join(home, 'wiki')

    it('clones and pushes, also what is sent in pieces', async () => {
      await ok(git('ada', passwordOf('ada'), 'clone', address(), clone))
      assert.equal(readFileSync(join(clone, 'file.txt'), 'utf8'), canary)
      for (const size of [10, 3 * 1024 * 1024]) {
        writeFileSync(join(clone, `of-${size}`), randomBytes(size))
        await ok(git('ada', '', '-C', clone, 'add', '.'))
        await ok(git('ada', '', '-C', clone, 'commit', '--quiet', '--message', 'Add'))
        await ok(git('ada', passwordOf('ada'), '-C', clone, 'push', '--quiet'))
      }
      await ok(git('ben', passwordOf('ben'), 'clone', '--quiet', address(), `${clone}-of-ben`))
      assert.ok(existsSync(join(`${clone}-of-ben`, `of-${3 * 1024 * 1024}`)))
    })

    it('is refused with any other password, or none', async () => {
      for (const password of [revoked, PASSWORD, 'wrong', '']) {
        await refused(
          git('ada', password, 'clone', address(), `${clone}-not`),
          /Authentication failed|40[13]/,
        )
      }
      const anonymous = run('git', [
        '-c',
        `http.sslCAInfo=${certificate()}`,
        'clone',
        address(),
        `${clone}-not`,
      ])
      await refused(anonymous, /could not read Username/)
    })
  })

  describe('WebDAV', () => {
    /** A session of cadaver: the certificate is accepted by hand, as by people. */
    const cadaver = (password: string, ...commands: readonly string[]) => {
      writeFileSync(join(home, '.netrc'), `machine localhost\nlogin ada\npassword ${password}\n`, {
        mode: 0o600,
      })
      // It accepts a certificate from a terminal alone.
      return run(
        'script',
        ['-qefc', `cadaver ${here.wiki}/share/`, '/dev/null'],
        ['y', ...commands, 'quit', ''].join('\n'),
      )
    }

    it('puts, gets, makes folders, moves, copies, locks and deletes', async () => {
      writeFileSync(join(home, 'note.txt'), canary)
      const output = await ok(
        cadaver(
          passwordOf('ada'),
          ...[
            'put note.txt',
            'mkcol folder',
            'move note.txt folder/moved.txt',
            'get folder/moved.txt back.txt',
          ],
          ...[
            'copy folder/moved.txt copied.txt',
            'lock copied.txt',
            'discover copied.txt',
            'unlock copied.txt',
          ],
          ...['delete copied.txt', 'ls folder'],
        ),
      )
      assert.doesNotMatch(output, /failed/i)
      assert.match(output, /moved\.txt\s+19/)
      assert.equal(readFileSync(join(home, 'back.txt'), 'utf8'), canary)
    })

    it('is refused with any other password, whatever it asks', async () => {
      for (const password of [revoked, PASSWORD, 'wrong']) {
        const authorization = basic('ada', password)
        for (const method of ['GET', 'PROPFIND', 'LOCK', 'DELETE', 'MOVE']) {
          const { status, body } = await here
            .visitor()
            .get(`${here.wiki}/share/kept.txt`, { authorization }, method)
          assert.deepEqual([status, body.includes(canary)], [401, false], method)
        }
      }
      assert.equal(readFileSync(join(here.apache.folder, 'share', 'kept.txt'), 'utf8'), canary)
    })

    it('copies and moves nothing into a place that is not open to the person', async () => {
      const authorization = basic('ada', passwordOf('ada'))
      for (const method of ['COPY', 'MOVE']) {
        const destination = `${here.wiki}/staff/planted.txt`
        const visitor = here.visitor()
        await visitor.get(`${here.wiki}/share/own.txt`, { authorization }, 'PUT', 'x')
        const { status } = await visitor.get(
          `${here.wiki}/share/own.txt`,
          { authorization, destination },
          method,
        )
        assert.ok(status >= 400, `${method}: ${status}`)
        assert.equal(existsSync(join(here.apache.folder, 'staff', 'planted.txt')), false)
      }
    })
  })
})

const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** The repositories and folders, as their guides make them. */
function prepare(folder: string): void {
  const at = (name: string) => join(folder, name)
  const quietly = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  for (const name of ['tree/trunk', 'tree/inner', 'tree/drafts', 'share', 'staff', 'locks']) {
    mkdirSync(at(name), { recursive: true })
  }
  writeFileSync(at('tree/trunk/file.txt'), canary)
  writeFileSync(at('tree/inner/file.txt'), canary)
  writeFileSync(at('share/kept.txt'), canary)
  writeFileSync(
    at('authz'),
    '[/]\n$anonymous = rw\nada = rw\nben = r\n[/drafts]\nben = rw\n[/inner]\nada = rw\nben =\n',
  )
  writeFileSync(at('authz-for-all'), '[/]\n* = r\n[/inner]\nben =\n')
  quietly('svnadmin', 'create', at('svn'))
  quietly('svn', 'import', '--quiet', '--message', 'Begin', at('tree'), `file://${at('svn')}`)
  const git = (...args: readonly string[]) =>
    quietly('git', '-c', 'user.name=A', '-c', 'user.email=a@example.net', ...args)
  git('init', '--quiet', '--initial-branch=main', at('work'))
  writeFileSync(at('work/file.txt'), canary)
  git('-C', at('work'), 'add', '.')
  git('-C', at('work'), 'commit', '--quiet', '--message', 'Begin')
  git('clone', '--quiet', '--bare', at('work'), at('git/wiki.git'))
  // Apache serves as this user where the tests run as root.
  const served = ['svn', 'git', 'share', 'staff', 'locks'].map(at)
  if (process.getuid?.() === 0) quietly('chown', '-R', 'www-data:www-data', ...served)
}
