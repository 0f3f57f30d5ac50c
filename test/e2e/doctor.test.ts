import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { encodeAnswer } from '../../src/apache/fastcgi/records.ts'
import { type Apache, type ApachePlace, startApache, temporaryFolder } from '../support/apache.ts'
import { freePort } from '../support/free-port.ts'
import { environment, runWatchword, startWatchword, type Watchword } from '../support/watchword.ts'

const launcher = fileURLToPath(new URL('../../bin/watchword.js', import.meta.url))

/** What `--json` prints. */
interface Report {
  readonly places: readonly { readonly host: string; readonly section: string; readonly policy: string }[]
  readonly findings: readonly {
    readonly id: string
    readonly severity: string
    readonly line: number | null
  }[]
  readonly silent: readonly string[]
}

// The real program beside a real Apache, with the files that `watchword apache install` wrote.
describe('watchword apache doctor', () => {
  const folder = temporaryFolder('ww-doctor-live-')
  const prefix = join(folder, 'apache')
  let env: Record<string, string>
  let authorizerPort = 0
  let watchword: Watchword | undefined
  let application: http.Server
  let appPort = 0

  before(async () => {
    authorizerPort = await freePort()
    env = environment(folder, {
      WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${authorizerPort}`,
      WATCHWORD_LISTEN: '127.0.0.1:0',
      WATCHWORD_ORIGIN: 'https://auth.example.com',
    })
    writeFileSync(join(folder, 'watchword.toml'), '[login]\nreturn_origins = ["https://wiki.example.net"]\n')
    watchword = await startWatchword(folder, env)
    await runWatchword(folder, env, { args: ['apache', 'install', '--prefix', prefix] })
    // As some applications do, it takes what follows a semicolon for no part of the path.
    application = http.createServer((request, response) => {
      response.statusCode = /^\/admin(?:[/;?]|$)/.test(request.url ?? '') ? 200 : 404
      response.end('the application\n')
    })
    await once(application.listen(0, '127.0.0.1'), 'listening')
    appPort = (application.address() as AddressInfo).port
  })
  after(async () => {
    await watchword?.stop()
    application?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const place = (path: string, more = '') => `
  <Location "${path}">
    Include ${prefix}/watchword/protect-two-factor.conf
    ${more}
  </Location>`

  const host = ({ httpPort, httpsPort, certificate, key }: ApachePlace, lines: string) => `
Include ${prefix}/conf-available/watchword-authorizer.conf
<VirtualHost *:${httpPort}>
  ServerName wiki.example.net
  Redirect permanent "/" "https://wiki.example.net:${httpsPort}/"
</VirtualHost>
<VirtualHost *:${httpsPort}>
  ServerName wiki.example.net
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
  DocumentRoot "${certificate.replace('certificate.pem', 'htdocs')}"
  <Directory "${certificate.replace('certificate.pem', 'htdocs')}">
    Require all granted
  </Directory>
${lines}
</VirtualHost>
`

  /** Runs the doctor beside an Apache with these lines in the virtual host of the wiki. */
  async function beside<T>(lines: string, work: (apache: Apache) => Promise<T>): Promise<T> {
    const apache = await startApache({
      serverName: 'wiki.example.net',
      extraModules: [
        'authn_core',
        'authz_user',
        'authz_host',
        'authnz_fcgi',
        'setenvif',
        'dir',
        'access_compat',
      ],
      vhost: (at) => host(at, lines),
    })
    try {
      mkdirSync(join(apache.folder, 'htdocs', 'pages', 'private'), { recursive: true })
      for (const name of ['pages', 'pages/private']) {
        writeFileSync(join(apache.folder, 'htdocs', name, 'index.html'), 'a page\n')
      }
      return await work(apache)
    } finally {
      await apache.stop()
    }
  }

  function run(
    root: string,
    ...args: readonly string[]
  ): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const apache = [
      '--apachectl',
      '/usr/sbin/apache2',
      '--server-root',
      root,
      '--apache-config',
      join(root, 'apache2.conf'),
    ]
    const words = [launcher, 'apache', 'doctor', ...apache, ...args]
    return new Promise((resolve) => {
      execFile(process.execPath, words, { cwd: folder, env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, stdout, stderr })
      })
    })
  }

  async function reportOn(lines: string): Promise<Report> {
    return beside(lines, async ({ folder: root }) => {
      const { code, stdout, stderr } = await run(root, '--json')
      const report: Report = JSON.parse(stdout)
      assert.equal(code, report.findings.length === 0 ? 0 : 1, stderr)
      return report
    })
  }
  const idsOf = ({ findings }: Report) => [...new Set(findings.map(({ id }) => id))].toSorted()

  it('is silent on what is right, and says what is protected (FT-OPER-1)', async () => {
    const app = `ProxyPass "/admin" "http://127.0.0.1:${appPort}/admin"\n${place('/admin')}`
    await beside(`${place('/pages')}\n${app}`, async ({ folder: root }) => {
      const { code, stdout, stderr } = await run(root)
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /^Nothing is wrong with what is protected:\n/)
      assert.match(stdout, /wiki\.example\.net <location "\/pages">: two-factor \(.*apache2\.conf:\d+\)/)
      assert.match(stdout, /"\/admin"/)
    })
  })

  it('enters by what lets everybody in, and says where it stands (FT-OPER-1)', async () => {
    const report = await reportOn(place('/pages', 'Require all granted'))
    assert.deepEqual(idsOf(report), ['open-place', 'require-beside'])
    assert.ok(report.findings.every(({ line, severity }) => line !== null && severity === 'hole'))
  })

  it('prints what to write instead', async () => {
    await beside(place('/pages', 'Satisfy Any'), async ({ folder: root }) => {
      const { code, stdout } = await run(root, '--static')
      assert.equal(code, 1)
      assert.match(
        stdout,
        /^.*apache2\.conf:\d+: hole: satisfy-any\n {2}With "Satisfy Any".*\n {2}Remove the line, or write: Satisfy All\n/,
      )
      assert.match(stdout, /1 hole, 0 other faults\.\n$/)
    })
  })

  it('gets an answer to TRACE where it is on (M-10)', async () => {
    assert.deepEqual(idsOf(await reportOn(`${place('/pages')}\nTraceEnable on`)), ['trace', 'trace-answered'])
  })

  it('enters by a path that Apache and the files read differently (M-11)', async () => {
    assert.deepEqual(
      idsOf(
        await reportOn(
          `${place('^/pages/private(?:/|$)').replaceAll('Location', 'LocationMatch')}\nMergeSlashes Off`,
        ),
      ),
      ['open-spelling', 'path-reading'],
    )
  })

  it('enters by a path that Apache and the application read differently (M-11)', async () => {
    const ids = idsOf(await reportOn(`ProxyPass "/" "http://127.0.0.1:${appPort}/"\n${place('/admin')}`))
    assert.deepEqual(ids, ['cookie-header', 'open-spelling'])
  })

  it('enters by a method that is free', async () => {
    const ids = idsOf(await reportOn(place('/pages', '<Limit OPTIONS>\nRequire all granted\n</Limit>')))
    assert.deepEqual(ids, ['limit', 'open-place'])
  })

  it('finds a port of the application that others reach (SEC-PXY-5)', async () => {
    const open = createServer().listen(0, '0.0.0.0')
    await once(open, 'listening')
    try {
      const { port } = open.address() as AddressInfo
      const ids = idsOf(await reportOn(`ProxyPass "/admin" "http://127.0.0.1:${port}/"\n${place('/admin')}`))
      assert.deepEqual(ids, ['application-exposed'])
    } finally {
      open.close()
    }
  })

  it('finds a secret that others may read (SEC-FCGI-5)', async () => {
    const secret = join(prefix, 'watchword', 'secret.conf')
    chmodSync(secret, 0o644)
    try {
      assert.deepEqual(idsOf(await reportOn(place('/pages'))), ['secret-readable'])
    } finally {
      chmodSync(secret, 0o600)
    }
  })

  it('says what Apache refuses, and what is missing', async () => {
    const root = join(folder, 'broken')
    mkdirSync(root)
    writeFileSync(join(root, 'apache2.conf'), place('/pages').replace('two-factor', 'nobody-wrote-this'))
    const { code, stdout } = await run(root, '--json', '--static')
    assert.equal(code, 1)
    assert.deepEqual(idsOf(JSON.parse(stdout)), ['configtest', 'unknown-policy'])
  })

  it('says that nothing is protected where nothing is', async () => {
    await beside('', async ({ folder: root }) => {
      const { code, stdout } = await run(root)
      assert.deepEqual([code, stdout], [0, 'Apache asks Watchword nowhere: nothing is protected.\n'])
    })
  })

  it('refuses what it does not know, and a program that is no Apache', async () => {
    assert.equal((await run(folder, '--nonsense')).code, 2)
    const { code, stderr } = await run(folder, '--apachectl', '/bin/true')
    assert.deepEqual([code, /is no Apache/.test(stderr)], [1, true])
  })

  it('finds nobody at the port of the authorizer, or somebody who admits all (SEC-FCGI-5, M-01)', async () => {
    await watchword?.stop()
    watchword = undefined
    assert.deepEqual(idsOf(await reportOn(place('/pages'))), ['authorizer-silent'])
    const impostor = await admitsAll(authorizerPort)
    try {
      const ids = idsOf(await reportOn(place('/pages')))
      assert.deepEqual(ids, ['authorizer-exposed', 'authorizer-open', 'open-place'])
    } finally {
      impostor.close()
    }
  })
})

/** An authorizer of somebody else, on every address. */
async function admitsAll(port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () =>
      socket.end(encodeAnswer(1, Buffer.from('Status: 200 OK\r\nVariable-REMOTE_USER: ada\r\n\r\n'))),
    )
  })
  await once(server.listen(port, '0.0.0.0'), 'listening')
  return server
}
