import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type Apache, type ApachePlace, startApache, temporaryFolder } from '../support/apache.ts'
import { openVisitor, startChromium, type Visitor } from '../support/browser.ts'
import { makeEnrolledPerson } from '../support/browser-people.ts'
import { send } from '../support/browser-steps.ts'
import { freePort } from '../support/free-port.ts'
import { environment, startWatchword, type Watchword } from '../support/watchword.ts'

const launcher = fileURLToPath(new URL('../../bin/watchword.js', import.meta.url))

// All of it as it is installed: the program, its files for Apache, Chromium.
describe('one sign-in for hosts of different domains, in Chromium', () => {
  const folder = temporaryFolder('ww-domains-')
  const socket = join(folder, 'watchword.sock')
  const names = ['wiki.example.net', 'shop.example.org']
  let apache: Apache
  let server: Watchword
  let chromium: Browser
  let visitor: Visitor
  let page: Page
  let hosts: readonly string[]
  let composed: Awaited<ReturnType<typeof compose>>

  const site = ({ httpsPort, certificate, key }: ApachePlace, name: string) => `
<VirtualHost *:${httpsPort}>
  ServerName ${name}
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
  DocumentRoot "${dirname(certificate)}/htdocs"
  <Location "/">
    Include watchword/protect-two-factor.conf
  </Location>
</VirtualHost>`

  before(async () => {
    const port = await freePort()
    const authorizer = { WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${port}` }
    const installing = environment(folder, authorizer)
    apache = await startApache({
      extraModules: ['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'dir'],
      vhost: (place) => {
        const prefix = dirname(place.certificate)
        const words = [launcher, 'apache', 'install', '--prefix', prefix]
        execFileSync(process.execPath, words, { cwd: folder, env: installing })
        writeFileSync(join(prefix, 'htdocs', 'index.html'), '<title>inside</title><p>the page of the wiki')
        return [
          vhostConfiguration({ ...place, backend: { kind: 'unix', path: socket } }),
          'Include conf-available/watchword-authorizer.conf',
          ...names.map((name) => site(place, name)),
        ].join('\n')
      },
    })
    hosts = names.map((name) => `https://${name}:${apache.httpsPort}`)
    const origin = `https://${apache.serverName}:${apache.httpsPort}`
    const env = environment(folder, {
      ...authorizer,
      WATCHWORD_LISTEN: `unix:${socket}`,
      WATCHWORD_ORIGIN: origin,
      WATCHWORD_SOCKET_MODE: '666',
      WATCHWORD_LOGIN_RETURN_ORIGINS: hosts.join(','),
    })
    server = await startWatchword(folder, env)
    composed = await compose(loadConfig({ cwd: folder, env }))
    chromium = await startChromium({ ...apache, otherNames: names })
    visitor = await openVisitor(chromium, origin)
    page = await visitor.context.newPage()
  })
  after(async () => {
    await chromium?.close()
    await composed?.close()
    await server?.stop()
    await apache?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const cookiesOf = async (host: string) =>
    (await visitor.context.cookies(host)).map(({ name }) => name).toSorted()

  it('leads from a place to the sign-in and back to the very address', async () => {
    const { username, password, phone } = await makeEnrolledPerson({ services: composed.services }, 'alice')
    const address = `${hosts[0]}/index.html?a=b%20c`
    await page.goto(address)
    assert.equal(new URL(page.url()).pathname, '/login')
    await send(page, { username, password })
    await send(page, { otp: phone.code() })
    assert.deepEqual([page.url(), await page.title()], [address, 'inside'])
    assert.deepEqual(await cookiesOf(hosts[0] ?? ''), ['__Host-watchword-site'])
  })

  it('opens the host of the other domain without a question', async () => {
    await page.goto(`${hosts[1]}/index.html`)
    assert.deepEqual([page.url(), await page.title()], [`${hosts[1]}/index.html`, 'inside'])
  })

  it('keeps the cookie of a host from scripts', async () => {
    assert.equal(await page.evaluate('document.cookie'), '')
  })

  it('is over on all hosts with one sign-out', async () => {
    await page.goto('/account')
    await page.locator('form[action="/logout"] button').first().click()
    await page.waitForURL(/signed_out/)
    for (const host of hosts) {
      await page.goto(`${host}/index.html`)
      assert.equal(new URL(page.url()).pathname, '/login')
    }
    assert.deepEqual(
      visitor.complaints.filter((complaint) => !complaint.startsWith('other host: ')),
      [],
    )
  })
})
