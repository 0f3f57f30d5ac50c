import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { openVisitor, startChromium } from '../support/browser.ts'
import type { Authenticator } from '../support/browser-people.ts'
import {
  buttonOf,
  enrol,
  formWith,
  keepRecoveryCodes,
  leads,
  send,
  signOut,
} from '../support/browser-steps.ts'
import { type Debian, startDebian } from '../support/debian.ts'
import { freePort } from '../support/free-port.ts'
import { PASSWORD } from '../world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const inside = 'the page of the wiki'

// What somebody does who has Debian, Apache and this folder, and nothing else.
describe('a fresh machine', () => {
  let debian: Debian
  let npm: ChildProcess
  let chromium: Browser
  let page: Page
  let phone: Authenticator
  let setUp = ''
  let wiki = ''
  let appPassword = ''

  before(async () => {
    const authorizer = { WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${await freePort()}` }
    debian = await startDebian(authorizer)
    const origin = `https://auth.example.com:${debian.httpsPort}`
    wiki = `https://wiki.example.net:${debian.httpsPort}`
    const settings = debian.path('etc/watchword/watchword.toml')
    writeFileSync(
      settings,
      debian.here(`listen = "unix:/run/watchword/watchword.sock"
origin = "${origin}"
data = "/var/lib/watchword"
socket_mode = "666"
[login]
return_origins = ["${wiki}"]
`),
    )
    await prepare(debian)
    npm = spawn('npm', ['start'], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: debian.folder, WATCHWORD_CONFIG: settings, ...authorizer },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    setUp = await addressOf(npm)
    chromium = await startChromium({
      serverName: 'auth.example.com',
      otherNames: ['wiki.example.net'],
      certificate: readFileSync(debian.path('etc/ssl/certs/site.pem'), 'utf8'),
    })
    const visitor = await openVisitor(chromium, origin)
    page = await visitor.context.newPage()
  })
  after(async () => {
    await chromium?.close()
    if (npm?.pid !== undefined && npm.exitCode === null) {
      const ended = once(npm, 'exit')
      process.kill(-npm.pid, 'SIGTERM')
      await ended
    }
    await debian?.stop()
  })

  it('is set up by a few lines, and a graceful restart', async () => {
    await debian.shell('a2enmod -q cgi')
    await debian.restart()
    await debian.shell(
      debian.here(`a2enmod -q ssl proxy proxy_http headers authnz_fcgi
cd /opt/watchword
CONFIG=/etc/watchword/watchword.toml
npx watchword --config $CONFIG apache vhost --server-name auth.example.com \
  --certificate /etc/ssl/certs/site.pem --key /etc/ssl/private/site.key > /etc/apache2/sites-available/watchword.conf
npx watchword --config $CONFIG apache install
a2enconf -q watchword-authorizer
a2ensite -q watchword wiki
apachectl configtest
apachectl graceful`),
    )
    // Until Apache is there by its new configuration, nobody can be.
    await untilOpens(page, '/login')
  })

  it('makes its first user by the address that npm start prints', async () => {
    await page.goto(setUp)
    await send(page, { username: 'alice', password: PASSWORD })
    phone = await enrol(page)
    await keepRecoveryCodes(page)
    await signOut(page)
  })

  it('asks for a sign-in with a code at the place, and leads back to it', async () => {
    await page.goto(`${wiki}/wiki/?a=b`)
    assert.equal(new URL(page.url()).pathname, '/login')
    await send(page, { username: 'alice', password: PASSWORD })
    await send(page, { otp: phone.code() })
    assert.deepEqual([page.url(), await page.title()], [`${wiki}/wiki/?a=b`, inside])
  })

  it('clones by Git with an app password of the account page, and with nothing else', async () => {
    await page.goto('/account/app-passwords')
    const form = formWith(page, 'name').filter({ has: page.locator('[name="policy-two-factor"]') })
    await form.locator('[name="name"]').fill('git')
    await form.locator('[name="policy-two-factor"]').check()
    await leads(page, () => buttonOf(form).click())
    appPassword = await page.locator('#app-password').innerText()
    assert.throws(() => clone(PASSWORD, 'not'), /Authentication failed/)
    clone(appPassword, 'cloned')
    assert.match(readFileSync(debian.path('cloned/index.html'), 'utf8'), new RegExp(inside))
  })

  function clone(password: string, to: string): void {
    const helper = `!f() { echo username=alice; echo "password=${password}"; }; f`
    const settings = [
      `http.sslCAInfo=${debian.path('etc/ssl/certs/site.pem')}`,
      `http.curloptResolve=wiki.example.net:${debian.httpsPort}:127.0.0.1`,
      `credential.helper=${helper}`,
    ].flatMap((setting) => ['-c', setting])
    execFileSync('git', [...settings, 'clone', `${wiki}/git/wiki.git`, debian.path(to)], {
      env: {
        PATH: process.env.PATH,
        HOME: debian.folder,
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_NOSYSTEM: '1',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  }
})

/** A certificate for both hosts, a page, a repository, and the virtual host with the three lines for each. */
async function prepare(debian: Debian): Promise<void> {
  mkdirSync(debian.path('srv/wiki'), { recursive: true })
  writeFileSync(debian.path('srv/wiki/index.html'), `<!doctype html><title>${inside}</title>`)
  await debian.shell(
    debian.here(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=auth.example.com \
  -addext subjectAltName=DNS:auth.example.com,DNS:wiki.example.net \
  -keyout /etc/ssl/private/site.key -out /etc/ssl/certs/site.pem 2>&1
git init -q -b main /srv/work
cp /srv/wiki/index.html /srv/work/
git -C /srv/work add .
git -C /srv/work -c user.name=A -c user.email=a@example.net commit -q -m Begin
git clone -q --bare /srv/work /srv/git/wiki.git`),
  )
  // Git serves what belongs to the user it runs as.
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'www-data:', debian.path('srv/git')])
  writeFileSync(
    join(debian.path('etc/apache2/sites-available'), 'wiki.conf'),
    debian.here(`<VirtualHost *:443>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "/etc/ssl/certs/site.pem"
  SSLCertificateKeyFile "/etc/ssl/private/site.key"
  Alias "/wiki" "/srv/wiki"
  ScriptAlias "/git/" "/usr/lib/git-core/git-http-backend/"
  <Directory "/srv/wiki">
    Require all granted
  </Directory>
  <Directory "/usr/lib/git-core">
    Require all granted
  </Directory>
  <Location "/wiki">
    Include watchword/protect-two-factor.conf
  </Location>
  <Location "/git">
    SetEnv GIT_PROJECT_ROOT "/srv/git"
    SetEnv GIT_HTTP_EXPORT_ALL
    Include watchword/protect-two-factor.conf
  </Location>
</VirtualHost>
`),
  )
}

/** The address for setting up that the program prints, once it is ready. */
function addressOf(npm: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let address = ''
    if (npm.stdout === null) throw new Error('no output')
    createInterface({ input: npm.stdout }).on('line', (line) => {
      address ||= /https:\/\/\S+\/setup#\S+/.exec(line)?.[0] ?? ''
      if (address !== '') resolve(address)
    })
    npm.once('exit', (code) => reject(new Error(`npm start ended: ${code}`)))
  })
}

/** Restarted gracefully, Apache answers as before for a moment. */
async function untilOpens(page: Page, path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const answer = await page.goto(path).catch(() => null)
    if (answer?.status() === 200) return
    await page.waitForTimeout(100)
  }
  throw new Error(`${path} does not open`)
}
