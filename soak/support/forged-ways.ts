import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { startServer } from '../../src/http/server.ts'
import { startApache } from '../../test/support/apache.ts'
import { place, startProtected } from '../../test/support/protected.ts'
import type { RawAddress, RawAnswer, RawClient } from '../../test/support/raw-client.ts'
import { PASSWORD, startWorld } from '../../test/world.ts'
import { FORGED, type ForgedCase, fold, guardedNames } from './forged-headers.ts'

/** A way on which forged headers may go. */
export interface ForgedWay {
  readonly name: string
  readonly address: RawAddress
  /** What is told to whoever sends these headers, each answer as a text; refusals of the request itself as `refused`. */
  readonly told: (client: RawClient, forged: ForgedCase) => Promise<readonly string[]>
}

export interface ForgedWays {
  readonly ways: readonly ForgedWay[]
  /** What was noted that no honest request leaves. */
  readonly strays: () => Promise<string[]>
  readonly close: () => Promise<void>
}

const plenty = { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 }

/** To our own pages, straight and through Apache: a page, a place that needs a sign-in, and a sign-in that fails. */
export async function startOwnWays(folder: string): Promise<ForgedWays> {
  const world = await startWorld({ config: { throttle: plenty } })
  const socket = join(folder, 'own.sock')
  const { securityHeaders } = world.edge
  const direct = await startServer(world.app, { kind: 'tcp', host: '127.0.0.1', port: 0 }, securityHeaders)
  const behind = await startServer(world.app, { kind: 'unix', path: socket, mode: 0o666 }, securityHeaders)
  const apache = await startApache({
    vhost: (site) => vhostConfiguration({ ...site, backend: { kind: 'unix', path: socket } }),
  })
  let names = 0
  const told: ForgedWay['told'] = async (client, { headers, mayBeRefused }) => {
    const common = [['Host', 'auth.example.com'], ['Accept', 'text/html'], ...headers] as const
    // Another name each time: nobody has to wait.
    const body = JSON.stringify({ username: `nobody${names++}`, password: PASSWORD })
    const ofBody = [
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
    ] as const
    const answers = [
      await client.send({ method: 'GET', target: '/login', headers: common }),
      await client.send({ method: 'GET', target: '/account', headers: common }),
      await client.send({ method: 'POST', target: '/auth/login/', headers: [...common, ...ofBody], body }),
    ]
    return answers.map((answer) => (mayBeRefused && isRefusal(answer) ? REFUSED : tell(answer)))
  }
  return {
    ways: [
      { name: 'straight to Watchword', address: { port: Number(new URL(direct.address).port) }, told },
      {
        name: 'to our pages through Apache',
        address: { port: apache.httpsPort, serverName: apache.serverName },
        told,
      },
    ],
    async strays() {
      const noted = await world.services.db.selectFrom('audit_event').select('address').distinct().execute()
      return noted.flatMap(({ address }) =>
        address === '127.0.0.1' ? [] : [`an address was noted: ${address}`],
      )
    },
    async close() {
      await apache.stop()
      await Promise.all([direct.stop(), behind.stop()])
      await world.close()
    },
  }
}

/** To an application behind ProxyPass and to a program, as a member; and as a stranger, who reaches neither. */
export async function startProtectedWays(): Promise<ForgedWays> {
  let strangers = 0
  const application = http.createServer(({ rawHeaders, method, url, headers }, response) => {
    if (headers['x-remote-user'] === undefined) strangers++
    const seen = [`METHOD=${method}`, `URL=${url}`]
    for (let index = 0; index < rawHeaders.length; index += 2) {
      seen.push(`${fold(`HTTP-${rawHeaders[index]}`)}=${rawHeaders[index + 1]}`)
    }
    response.end(seen.join('\n'))
  })
  await once(application.listen(0, '127.0.0.1'), 'listening')
  const { port } = application.address() as AddressInfo
  const here = await startProtected({
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
  await visitor.open(`${here.wiki}/app/page`)
  const cookie = [...(visitor.jars.get(here.wiki) ?? [])]
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
  const address = { port: here.apache.httpsPort, serverName: 'wiki.example.net' }
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
  const asMember =
    (target: string): ForgedWay['told'] =>
    async (client, forged) => {
      const answer = await ask(client, target, forged, cookie)
      if (forged.mayBeRefused && isRefusal(answer)) return [REFUSED]
      return [[answer.status, ...guarded(answer.body)].join('\n')]
    }
  return {
    ways: [
      { name: 'to an application behind ProxyPass', address, told: asMember('/app/page') },
      { name: 'to a program', address, told: asMember('/tools/env') },
      {
        name: 'to a protected place without a sign-in',
        address,
        told: async (client, forged) => {
          const answer = await ask(client, '/app/page', forged, '')
          return [forged.mayBeRefused && isRefusal(answer) ? REFUSED : tell(answer)]
        },
      },
    ],
    strays: async () => (strangers === 0 ? [] : [`${strangers} requests of nobody reached an application`]),
    async close() {
      await here.close()
      application.closeAllConnections()
      application.close()
    },
  }
}

/** Stands for an answer to a request that is none. */
export const REFUSED = 'refused'

const isRefusal = ({ status, body, headers }: RawAnswer): boolean =>
  (status === 400 || status === 431) && !FORGED.test(`${headers.join()}${body}`)

/** What an answer tells, without what is another each time: tokens, the time, the number of the request. */
function tell({ status, headers, body }: RawAnswer): string {
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
