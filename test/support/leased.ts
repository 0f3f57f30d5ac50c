import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { dirname, join } from 'node:path'
import { createUser } from '../../src/actions/create-user.ts'
import { type Composed, compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readCallerSecret } from '../../src/crypto/caller-secret.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { leaseName } from '../../src/domain/lease.ts'
import { hashToken } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as groups from '../../src/store/groups.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { PASSWORD } from '../world.ts'
import { type Apache, startApache, temporaryFolder } from './apache.ts'
import { freePort } from './free-port.ts'
import { environment, runWatchword, startWatchword, type Watchword } from './watchword.ts'

/** The program and a real Apache that admits by its leases, without TLS, by the clock of the machine. */
export interface LeasedWorld {
  readonly apache: Apache
  readonly settings: Record<string, string>
  /** Of our pages and calls, and of the protected host. */
  readonly pages: string
  readonly site: string
  /** Services of a second process on the same database and folder. */
  readonly beside: Services
  server(): Watchword
  /** Starts it where it was stopped or killed. */
  start(): Promise<void>
  command(...args: readonly string[]): Promise<string>
  /** Somebody of two factors with a session that the protected host knows, and another that it does not. */
  somebody(given?: { readonly isSuperuser?: boolean; readonly group?: string }): Promise<LeasedPerson>
  close(): Promise<void>
}

export interface LeasedPerson {
  readonly id: UserId
  readonly username: string
  /** `Cookie` for our pages, for the protected host, and of another browser for our pages. */
  readonly own: string
  readonly there: string
  readonly elsewhere: string
  readonly sessionId: string
  /** Where Apache looks for the lease of a policy. */
  leaseOf(policy: string): string
}

const place = (path: string, policy: string) => `
  <Location "${path}">
    Include watchword/protect-${policy}.conf
  </Location>`

/** Starts both; `/leased/`, `/asked/` and `/staff/` are one file, protected in three ways. */
export async function startLeased(toml: string, policy: string): Promise<LeasedWorld> {
  const folder = temporaryFolder('ww-leased-')
  const [port, authorizerPort] = [await freePort(), await freePort()]
  const pages = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'watchword.toml'), toml)
  const settings = environment(folder, {
    WATCHWORD_LISTEN: `127.0.0.1:${port}`,
    WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${authorizerPort}`,
    WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: join(folder, 'leases'),
  })
  const apache = await startApache({
    extraModules: ['authn_core', 'authz_user', 'authnz_fcgi', 'setenvif', 'dir'],
    vhost: ({ httpPort, certificate }) => {
      settings.WATCHWORD_LOGIN_RETURN_ORIGINS = `http://127.0.0.1:${httpPort}`
      return configuration(dirname(certificate), httpPort, policy)
    },
    prepare: async (prefix) => {
      await runWatchword(folder, settings, {
        args: ['apache', 'install', '--prefix', prefix, '--group', 'staff'],
      })
    },
  })
  const site = `http://127.0.0.1:${apache.httpPort}`
  let server = await startWatchword(folder, settings)
  const secret = readCallerSecret(join(folder, 'data', 'authorizer-secret'))
  const composed: Composed = await compose(loadConfig({ cwd: folder, env: settings }))
  const beside = composed.services
  await groups.insert(beside.db, 'staff', beside.now())
  let people = 0
  return {
    ...{ apache, settings, pages, site, beside },
    server: () => server,
    start: async () => {
      server = await startWatchword(folder, settings)
    },
    command: (...args) => runWatchword(folder, settings, { args }),
    async somebody({ isSuperuser = false, group } = {}) {
      const username = `person${people++}`
      const user = {
        username,
        password: PASSWORD,
        displayName: '',
        isSuperuser,
        mustChangePassword: false,
        groups: [],
      }
      const made = await createUser(beside, user, { operator: 'test' })
      if (made.kind !== 'created') throw new Error(made.kind)
      const { id } = made
      if (group !== undefined) await groups.addMember(beside.db, group, id)
      const [token, otherToken, siteToken] = [newToken(), newToken(), newToken()]
      const now = beside.now()
      const [sessionId, otherId] = [newId(), newId()]
      for (const [each, hash] of [
        [sessionId, hashToken(token)],
        [otherId, hashToken(otherToken)],
      ] as const) {
        await sessions.insert(beside.db, {
          ...{ id: each, userId: id, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
          ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hash },
        })
      }
      await siteSessions.replace(beside.db, { tokenHash: hashToken(siteToken), sessionId, host: site }, now)
      return {
        ...{ id, username, sessionId },
        own: `watchword-session=${token}`,
        elsewhere: `watchword-session=${otherToken}`,
        there: `watchword-site=${siteToken}`,
        leaseOf: (name) => join(folder, 'leases', 'policies', name, leaseName(secret, site, siteToken)),
      }
    },
    async close() {
      await server.kill()
      await apache.stop()
      await composed.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One call; gives the status, and what came. */
export function call(
  address: string,
  {
    method = 'GET',
    cookie,
    fields,
    agent,
    accept = 'text/html',
  }: {
    readonly method?: string
    readonly cookie: string
    readonly fields?: object
    readonly agent?: http.Agent
    readonly accept?: string
  },
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const body = fields === undefined ? undefined : JSON.stringify(fields)
    const headers = {
      ...{ cookie, accept },
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': body.length }),
    }
    const request = http.request(
      address,
      { method, headers, agent: agent ?? false, timeout: 60_000 },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
        answer.on('error', reject)
      },
    )
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error(`no answer: ${address}`)))
    request.end(body)
  })
}

function configuration(prefix: string, port: number, policy: string): string {
  for (const name of ['leased', 'asked', 'staff']) {
    mkdirSync(join(prefix, 'htdocs', name))
    writeFileSync(join(prefix, 'htdocs', name, 'index.html'), 'the page\n')
  }
  return `
Include conf-available/watchword-authorizer.conf
Timeout 4
MaxKeepAliveRequests 0
<VirtualHost *:${port}>
  ServerName 127.0.0.1
  DocumentRoot "${prefix}/htdocs"
  DirectoryIndex index.html
  <Directory "${prefix}/htdocs">
    Require all granted
  </Directory>
  ${place('/leased', policy)}
  ${place('/asked', 'asking')}
  ${place('/staff', 'group-staff')}
</VirtualHost>`
}
