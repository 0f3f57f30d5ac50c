import { existsSync } from 'node:fs'
import { request } from '../../test/support/apache.ts'
import { benchFile, type StartedServer, startServer } from './processes.ts'

const moduleFile = '/usr/lib/apache2/modules/mod_auth_openidc.so'

/** Why mod_auth_openidc cannot stand beside Watchword here; `undefined` where it can. */
export const openidMissing = (): string | undefined =>
  existsSync(moduleFile) ? undefined : `there is no ${moduleFile} (Debian: libapache2-mod-auth-openidc)`

export const startProvider = (log: string): Promise<StartedServer> =>
  startServer([benchFile('reference/openid-provider.ts')], { log })

/**
 * Lines for a virtual host whose `path` asks for a sign-in at the provider; all else is as the module has it by default.
 *
 * Sessions are in its shared memory. Those sealed in cookies cannot be measured by cookies made beforehand: after a minute each
 * answer would seal a new one.
 */
export const openidConfiguration = (
  path: string,
  { port, providerPort }: { readonly port: number; readonly providerPort: number },
): string => `
  OIDCProviderMetadataURL http://127.0.0.1:${providerPort}/.well-known/openid-configuration
  OIDCClientID bench
  OIDCClientSecret secret-of-the-benchmark
  OIDCCryptoPassphrase passphrase-of-the-benchmark
  OIDCRedirectURI http://127.0.0.1:${port}${path}/back
  OIDCSessionInactivityTimeout 3600
  <Location "${path}">
    AuthType openid-connect
    Require valid-user
  </Location>`

/** Signs so many browsers in, eight at a time; gives the `Cookie` header of each. */
export async function signInAtProvider(address: string, count: number): Promise<string[]> {
  const cookies: string[] = []
  let begun = 0
  const work = async () => {
    while (begun++ < count) cookies.push(await signIn(address))
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return cookies
}

async function signIn(address: string): Promise<string> {
  const jar = new Map<string, string>()
  let at = new URL(address)
  for (let step = 0; step < 6; step++) {
    const isHere = at.origin === new URL(address).origin
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    // Not by `fetch`, which says of itself that it is a script: those are not sent to sign in.
    const answer = await request({
      port: Number(at.port),
      path: at.pathname + at.search,
      serverName: at.host,
      headers: { accept: 'text/html', ...(isHere && { cookie }) },
    })
    if (isHere) for (const line of answer.headers['set-cookie'] ?? []) keep(jar, line)
    if (answer.status === 200) return cookie
    at = new URL(answer.headers.location ?? address, at)
  }
  throw new Error('mod_auth_openidc does not let a browser in.')
}

/** One with an empty value is taken back. */
function keep(jar: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
  if (value === '') jar.delete(name)
  else jar.set(name, value)
}
