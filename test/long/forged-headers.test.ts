import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { type Apache, startApache, temporaryFolder } from '../support/apache.ts'
import { FORGED, type ForgedCase, fold, forgedCases, guardedNames } from '../support/forged-headers.ts'
import { randomFrom } from '../support/path-spellings.ts'
import { type ProtectedWorld, place, startProtected } from '../support/protected.ts'
import { type RawAddress, type RawAnswer, type RawClient, withRawClients } from '../support/raw-client.ts'
import { PASSWORD, startWorld, type World } from '../world.ts'

/** Cases on each way: sixty names in eight manners, then random mixtures of several. */
const CASES = Number(process.env.WW_HEADER_CASES ?? 500)
const seed = Number(process.env.WW_FUZZ_SEED ?? Date.now() % 2 ** 31)

describe(`forged headers on the way to our own pages (seed ${seed})`, () => {
  const folder = temporaryFolder('ww-headers-')
  const socket = join(folder, 'own.sock')
  let world: World
  let apache: Apache
  let names = 0
  const servers: RunningServer[] = []
  before(async () => {
    const plenty = { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 }
    world = await startWorld({ config: { throttle: plenty } })
    for (const listen of [
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { kind: 'unix', path: socket, mode: 0o666 },
    ] as const) {
      servers.push(await startServer(world.app, listen, world.edge.securityHeaders))
    }
    apache = await startApache({
      vhost: (site) => vhostConfiguration({ ...site, backend: { kind: 'unix', path: socket } }),
    })
  })
  after(async () => {
    await apache?.stop()
    for (const server of servers) await server.stop()
    await world?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const ways: Readonly<Record<string, () => RawAddress>> = {
    'straight to Watchword': () => ({ port: Number(new URL(servers[0]?.address ?? '').port) }),
    'through Apache': () => ({ port: apache.httpsPort, serverName: apache.serverName }),
  }
  for (const [way, address] of Object.entries(ways)) {
    it(`change no page, redirect, cookie or answer, and no address that is noted: ${way} (FT-HDR-1, SEC-PXY-2)`, async () => {
      let usual: readonly string[] = []
      await withRawClients(address(), [honest], async (client) => {
        usual = (await visit(client, honest)).map(told)
      })
      const wrong: string[] = []
      await withRawClients(address(), forgedCases(CASES, randomFrom(seed)), async (client, forged) => {
        const answers = await visit(client, forged)
        for (const [index, answer] of answers.entries()) {
          const isRefused = forged.mayBeRefused && (answer.status === 400 || answer.status === 431)
          if (!isRefused && told(answer) !== usual[index]) {
            wrong.push(`${forged.what}: ${told(answer).slice(0, 300)}`)
          }
          if (FORGED.test(told(answer))) wrong.push(`${forged.what}: ${answer.body.slice(0, 300)}`)
        }
      })
      assert.deepEqual(wrong.slice(0, 20), [])
      const noted = await world.services.db.selectFrom('audit_event').select('address').distinct().execute()
      assert.deepEqual(
        noted.map(({ address }) => address),
        ['127.0.0.1'],
      )
    })
  }

  /** A page, a place that needs a sign-in, and a sign-in that fails. */
  async function visit(client: RawClient, { headers }: ForgedCase): Promise<RawAnswer[]> {
    const common = [['Host', 'auth.example.com'], ['Accept', 'text/html'], ...headers] as const
    // Another name each time: nobody has to wait.
    const body = JSON.stringify({ username: `nobody${names++}`, password: PASSWORD })
    const ofBody = [
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
    ] as const
    return [
      await client.send({ method: 'GET', target: '/login', headers: common }),
      await client.send({ method: 'GET', target: '/account', headers: common }),
      await client.send({ method: 'POST', target: '/auth/login/', headers: [...common, ...ofBody], body }),
    ]
  }
})

describe(`forged headers on the way to a protected application (seed ${seed})`, () => {
  let here: ProtectedWorld
  let application: http.Server
  let reached = 0
  let cookie = ''
  before(async () => {
    application = http.createServer(({ rawHeaders, method, url }, response) => {
      reached++
      const seen = [`METHOD=${method}`, `URL=${url}`]
      for (let index = 0; index < rawHeaders.length; index += 2) {
        seen.push(`${fold(`HTTP-${rawHeaders[index]}`)}=${rawHeaders[index + 1]}`)
      }
      response.end(seen.join('\n'))
    })
    await once(application.listen(0, '127.0.0.1'), 'listening')
    const { port } = application.address() as AddressInfo
    here = await startProtected({
      files(folder) {
        mkdirSync(join(folder, 'tools'))
        const program = join(folder, 'tools', 'env')
        writeFileSync(program, '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv\n')
        chmodSync(program, 0o755)
      },
      wiki: (folder) => `
  ProxyPass "/app" "http://127.0.0.1:${port}/app"
  ScriptAlias "/tools/" "${folder}/tools/"
  <Directory "${folder}/tools">
    Require all granted
  </Directory>
  ${place('/app', 'two-factor')}
  ${place('/tools', 'two-factor')}`,
      shop: () => '',
    })
    const visitor = here.visitor((await here.world.enrolled('ada')).browser)
    assert.equal((await visitor.open(`${here.wiki}/app/page`)).status, 200)
    cookie = [...(visitor.jars.get(here.wiki) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  })
  after(async () => {
    await here?.close()
    application?.close()
  })

  const address = () => ({ port: here.apache.httpsPort, serverName: 'wiki.example.net' })
  const ask = (client: RawClient, target: string, { headers }: ForgedCase, mine: string) =>
    client.send({
      ...{ method: 'GET', target },
      headers: [
        ['Host', new URL(here.wiki).host],
        ['Accept', 'text/html'],
        ...(mine === '' ? [] : [['Cookie', mine] as const]),
        ...headers,
      ],
    })

  for (const [kind, target] of Object.entries({
    'behind ProxyPass': '/app/page',
    'as a program': '/tools/env',
  })) {
    it(`change nothing of who, from where and for what it learns, ${kind} (FT-HDR-1, SEC-API-3, SEC-PXY-4)`, async () => {
      let usual: readonly string[] = []
      await withRawClients(address(), [honest], async (client) => {
        usual = guarded((await ask(client, target, honest, cookie)).body)
      })
      assert.match(usual.join('\n'), /REMOTE_USER=ada/)
      const wrong: string[] = []
      await withRawClients(address(), forgedCases(CASES, randomFrom(seed)), async (client, forged) => {
        const { status, body } = await ask(client, target, forged, cookie)
        if (forged.mayBeRefused && status === 400) return
        const learnt = guarded(body)
        if (status === 200 && learnt.join('\n') === usual.join('\n')) return
        const news = learnt.filter((line) => !usual.includes(line))
        const lost = usual.filter((line) => !learnt.includes(line))
        wrong.push(`${forged.what}: ${status}, new ${JSON.stringify(news).slice(0, 200)}, lost ${lost}`)
      })
      assert.deepEqual(wrong.slice(0, 20), [])
    })
  }

  it('let no stranger in, nor send one anywhere else (FT-HDR-1, SEC-FCGI-4)', async () => {
    reached = 0
    let usual = ''
    await withRawClients(address(), [honest], async (client) => {
      usual = told(await ask(client, '/app/page', honest, ''))
    })
    assert.match(usual, /302.*https:\/\/auth\.example\.com\/enter\?/s)
    const wrong: string[] = []
    await withRawClients(address(), forgedCases(CASES, randomFrom(seed)), async (client, forged) => {
      const answer = await ask(client, '/app/page', forged, '')
      if (forged.mayBeRefused && answer.status === 400) return
      if (told(answer) !== usual) wrong.push(`${forged.what}: ${told(answer).slice(0, 300)}`)
    })
    assert.deepEqual(wrong.slice(0, 20), [])
    assert.equal(reached, 0)
  })
})

const honest: ForgedCase = { what: 'nothing', headers: [], mayBeRefused: false }

/** What an answer tells, without what is another each time: tokens, the time, the number of the request. */
function told({ status, headers, body }: RawAnswer): string {
  const passing = ['date', 'x-request-id', 'connection', 'keep-alive']
  const lines = headers
    .filter(([name]) => !passing.includes(name))
    .map(([name, value]) => `${name}: ${value}`)
  return [status, ...lines, body].join('\n').replaceAll(/[A-Za-z0-9_-]{43}/g, 'TOKEN')
}

/** Of the variables of an application, those that tell who asks, from where, and for what. */
function guarded(text: string): string[] {
  const ofRequest = /^(?:METHOD|URL|REMOTE_\w+|REQUEST_\w+|SERVER_NAME|SCRIPT_NAME|PATH_INFO|HTTPS|WW_\w+)=/
  return text
    .split('\n')
    .filter((line) => {
      const [, name] = /^HTTP_(\w+)=/.exec(line) ?? []
      return name === undefined
        ? ofRequest.test(line) && !line.startsWith('REMOTE_PORT=')
        : guardedNames.has(name)
    })
    .toSorted()
}
