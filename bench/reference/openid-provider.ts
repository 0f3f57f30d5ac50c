import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

// The least OpenID provider that mod_auth_openidc signs people in with: whoever is sent here is somebody new, at once and
// without being asked. What the module does with its own sessions is measured, not this.
const { privateKey, publicKey } = await generateKeyPair('RS256')
const key = { ...(await exportJWK(publicKey)), kid: 'bench', use: 'sig', alg: 'RS256' }
/** What belongs to the codes that are not used yet. */
const granted = new Map<string, { readonly nonce: string; readonly client: string }>()
let people = 0

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', issuer())
  const json = (value: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  switch (pathname) {
    case '/.well-known/openid-configuration':
      json({
        issuer: issuer(),
        authorization_endpoint: `${issuer()}/authorize`,
        token_endpoint: `${issuer()}/token`,
        jwks_uri: `${issuer()}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      })
      return
    case '/keys':
      json({ keys: [key] })
      return
    case '/authorize': {
      const code = `code${people++}`
      granted.set(code, {
        nonce: searchParams.get('nonce') ?? '',
        client: searchParams.get('client_id') ?? '',
      })
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.search = String(new URLSearchParams({ code, state: searchParams.get('state') ?? '' }))
      response.writeHead(302, { location: back.href }).end()
      return
    }
    case '/token': {
      const code = new URLSearchParams(await text(request)).get('code') ?? ''
      const grant = granted.get(code)
      granted.delete(code)
      if (grant === undefined) break
      const idToken = await new SignJWT({ nonce: grant.nonce })
        .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
        .setIssuer(issuer())
        .setSubject(`user-of-${code}`)
        .setAudience(grant.client)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey)
      json({ access_token: code, token_type: 'Bearer', expires_in: 3600, id_token: idToken })
      return
    }
  }
  response.writeHead(400).end()
})

const issuer = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

await once(server.listen(0, '127.0.0.1'), 'listening')
console.log(issuer())
process.on('SIGTERM', () => process.exit())
