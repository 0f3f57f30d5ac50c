import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { loadConfig } from '../../src/config/load.ts'
import { type Debian, startDebian } from '../support/debian.ts'
import { freePort } from '../support/free-port.ts'
import { send } from '../support/protected.ts'
import { startWatchword, type Watchword } from '../support/watchword.ts'

interface Block {
  readonly section: string
  readonly line: number
  readonly language: string
  readonly text: string
}

const guide = readFileSync(new URL('../../docs/apache.md', import.meta.url), 'utf8')
const blocks = blocksOf(guide)
const lastPlace = blocks.findLast(({ section }) => section === '7. Kinds of places')

/** Programs that the guide calls; what is not among them is not known to work. */
const commands = new Set([
  ...['a2enmod', 'a2dismod', 'a2enconf', 'a2ensite', 'apachectl', 'curl', 'openssl', 'npx', 'cd', 'sudo'],
  ...['chown', 'chmod', 'adduser', 'apt-get', 'install', 'systemctl'],
])

// Somebody follows the guide from the top, on a machine as Debian leaves it, and every place asks for a sign-in.
describe('the guide for Apache', () => {
  let debian: Debian
  let watchword: Watchword | undefined
  let authorizer: string
  /** The settings so far: what stands before all tables, then each table as it was given last. */
  const settings = new Map<string, string>()
  const places: string[] = []

  before(async () => {
    authorizer = `127.0.0.1:${await freePort()}`
    debian = await startDebian({ WATCHWORD_AUTHORIZER_LISTEN: authorizer })
    // What the guide takes for granted: a key that is there, and something to protect.
    writeFileSync(debian.path('etc/ssl/private/auth.example.com.key'), '')
    for (const name of ['wiki', 'tools', 'git', 'share', 'shop']) {
      mkdirSync(debian.path(`srv/${name}`), { recursive: true })
    }
    await debian.shell(
      debian.here(`svnadmin create /srv/svn
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop.example.org \
  -keyout /etc/ssl/private/shop.example.org.key -out /etc/ssl/certs/shop.example.org.pem 2>/dev/null`),
    )
  })
  after(async () => {
    await watchword?.stop()
    await debian?.stop()
  })

  const run: Readonly<Record<string, (block: Block) => Promise<void>>> = {
    async sh({ text, section }) {
      const lines = text.replaceAll('\\\n', ' ').split('\n')
      for (const command of lines.flatMap((line) => line.split(/&&/)).map((line) => line.trim())) {
        assert.ok(commands.has(command.split(' ')[0] ?? ''), `no way to run: ${command}`)
      }
      // Who sets up Watchword a second time, as an application of Apache, has a user already.
      const name = section.endsWith('Apache runs Watchword itself') ? 'ben' : 'ada'
      const body = debian.here(text).replaceAll('NAME', name)
      const asked = [...text.matchAll(/^(curl .*?)\s+# (\d{3})/gm)]
      if (asked.length === 0) {
        if (text.includes('apache doctor')) await install()
        const output = await debian.shell(body, 'correct horse battery staple\n')
        // It has nothing to find in what the guide says, and has looked.
        if (text.includes('apache doctor')) assert.match(output, /wiki\.example\.net.*\/wiki/s)
        if (text.includes('systemctl restart watchword')) await watchword?.stop()
        if (/systemctl (?:enable --now|restart) watchword/.test(text)) await serve()
      }
      for (const [, line = '', status] of asked) {
        const right = new RegExp(`^HTTP/[\\d.]+ ${status}`)
        await eventually(async () => assert.match(await debian.shell(debian.here(line)), right, line))
      }
    },

    async toml({ text }) {
      const [top = '', ...tables] = `\n${withPorts(text)}`.split(/^(?=\[)/m)
      const given = new Map(tables.map((table) => [table.slice(0, table.indexOf('\n')), table]))
      // Of several ways to listen, the first is gone.
      const isOther = top.trim() !== '' && settings.has('')
      if (top.trim() !== '' && !isOther) settings.set('', top)
      for (const [name, table] of given) settings.set(name, table)
      const whole = [
        isOther ? top : settings.get(''),
        ...[...settings].filter(([name]) => name !== '').map(([, table]) => table),
      ]
      const file = debian.path(isOther ? 'etc/watchword/other.toml' : 'etc/watchword/watchword.toml')
      writeFileSync(file, whole.join('\n'))
      loadConfig({ cwd: debian.folder, file, env: { WATCHWORD_AUTHORIZER_LISTEN: authorizer } })
    },

    async apache({ text }) {
      const body = debian.here(text)
      if (/^\s*<(?:Location|VirtualHost)/m.test(text)) {
        const isHost = text.startsWith('<VirtualHost')
        const file = debian.path(`etc/apache2/sites-available/${isHost ? 'shop' : 'wiki'}.conf`)
        if (isHost) writeFileSync(file, body)
        else {
          const before = existsSync(file) ? readFileSync(file, 'utf8') : wikiHost()
          writeFileSync(file, before.replace('</VirtualHost>', `${body}\n</VirtualHost>`))
        }
        const host = isHost ? 'shop.example.org' : 'wiki.example.net'
        for (const [, path] of text.matchAll(/<Location "([^"]*)">/g))
          places.push(`https://${host}:${debian.httpsPort}${path}`)
        await debian.shell(`a2ensite -q ${isHost ? 'shop' : 'wiki'}`)
      } else {
        writeFileSync(debian.path('etc/apache2/conf-available/guide.conf'), body)
        await debian.shell('a2enconf -q guide')
      }
      await debian.shell('apachectl configtest')
    },

    /** Read by HAProxy; a part stands where the guide puts it. test/long/nodes-authorizer.test.ts runs all of it. */
    async haproxy({ text }) {
      if (!text.startsWith('global')) return
      writeFileSync(debian.path('haproxy.cfg'), `${text}\n`)
      await debian.shell('/usr/sbin/haproxy -c -q -f haproxy.cfg')
    },

    /** Read by systemd at its start (tmpfiles.d(5)): the folder around the one of the leases. */
    async tmpfiles({ text }) {
      const [, folder = ''] = /^d (\/\S+) 0?[0-7]{3} \S+ \S+$/.exec(text) ?? []
      assert.ok(settings.get('[authorizer]')?.includes(`"${debian.here(`${folder}/`)}`), text)
    },

    /** Rules of paths, where the block of Apache before it says that they are. */
    async ini({ text }) {
      const file = debian.path('srv/svn/conf/authz')
      assert.ok(readFileSync(debian.path('etc/apache2/sites-available/wiki.conf'), 'utf8').includes(file))
      writeFileSync(file, text)
      await debian.shell(`svnauthz validate "${file}"`)
    },

    /** A module for the application, of a package that is its own; here its grammar is held. */
    async js({ text }) {
      writeFileSync(debian.path('example.mjs'), text)
      await debian.shell(`"${process.execPath}" --check example.mjs`)
    },
  }

  /** As the guide says after each change of the settings. */
  const install = () =>
    debian.shell(
      debian.here('npx watchword --config /etc/watchword/watchword.toml apache install --group staff'),
    )

  async function serve(): Promise<void> {
    watchword = await startWatchword(debian.folder, {
      PATH: process.env.PATH ?? '',
      WATCHWORD_CONFIG: debian.path('etc/watchword/watchword.toml'),
      WATCHWORD_AUTHORIZER_LISTEN: authorizer,
      WATCHWORD_SOCKET_MODE: '666',
    })
  }

  const withPorts = (text: string) =>
    debian
      .here(text)
      .replace(/https:\/\/[a-z]+\.example\.(?:com|net|org)/g, (origin) => `${origin}:${debian.httpsPort}`)

  const wikiHost = () => `<VirtualHost *:${debian.httpsPort}>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "${debian.path('etc/ssl/certs/shop.example.org.pem')}"
  SSLCertificateKeyFile "${debian.path('etc/ssl/private/shop.example.org.key')}"
</VirtualHost>
`

  for (const block of blocks) {
    it(`${block.section}: line ${block.line}, ${block.language}`, async () => {
      const reader = run[block.language]
      assert.ok(reader !== undefined, 'a block needs a language that this test knows how to run')
      await reader(block)
    })

    if (block === lastPlace) {
      it('leads to places that ask for a sign-in, each of them', async () => {
        // As the guide says after the list of hosts.
        await watchword?.stop()
        await serve()
        await install()
        await debian.shell('apachectl configtest && apachectl graceful')
        assert.ok(places.length >= 8)
        for (const place of places) {
          const url = new URL(place)
          await eventually(async () => {
            const reply = await ask(url)
            assert.equal(reply.status, 302, place)
            assert.match(String(reply.headers.location), /^https:\/\/auth\.example\.com:\d+\/enter\?/)
          })
        }
      })
    }
  }

  const ask = (url: URL) =>
    send(debian.httpsPort, url, { method: 'GET', headers: { accept: 'text/html' }, body: undefined })
})

/** Apache, restarted gracefully, answers by its old configuration for a moment; this gives it a minute. */
async function eventually(holds: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await holds()
    } catch (fault) {
      if (tries === 600) throw fault
      await delay(100)
    }
  }
}

function blocksOf(text: string): Block[] {
  const found: Block[] = []
  let section = ''
  let open: { line: number; language: string; lines: string[] } | undefined
  for (const [at, line] of text.split('\n').entries()) {
    if (line.startsWith('```')) {
      if (open === undefined) open = { line: at + 1, language: line.slice(3), lines: [] }
      else {
        const { lines, ...rest } = open
        found.push({ section, ...rest, text: lines.join('\n') })
        open = undefined
      }
    } else if (open !== undefined) open.lines.push(line)
    else if (line.startsWith('## ')) section = line.slice(3)
  }
  return found
}
