/** The header with each of its hyphens as hyphen or underscore: all that fold to one variable name. */
export function spellings(header: string): string[] {
  const [first = '', ...rest] = header.split('-')
  return rest.reduce(
    (heads, part) => heads.flatMap((head) => [`${head}-${part}`, `${head}_${part}`]),
    [first],
  )
}

const words = (text: string): string[] => text.trim().split(/\s+/)

/** Headers by which an application may learn who is asking, or by which a client could pose as somebody. */
export const identityHeaders: readonly string[] = words(`
  Remote-User Remote-Name Remote-Email Remote-Groups X-Remote-User X-Remote-Name X-Remote-Email
  X-Remote-Group X-Remote-Groups X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups
  X-Forwarded-Preferred-Username X-Forwarded-Access-Token X-Auth-Request-User X-Auth-Request-Email
  X-Auth-Request-Groups X-Auth-Request-Preferred-Username X-Auth-Request-Access-Token X-Auth-User
  X-Auth-Username X-Auth-Email X-Auth-Groups X-Authenticated-User X-Authenticated-Userid X-WebAuth-User
  X-User X-User-Id X-Username X-Email X-Groups X-Watchword-User X-Watchword-Groups X-Watchword-Assertion
  X-Watchword-Amr X-Watchword-User-Id Client-Cert
  Client-Cert-Chain X-Client-Cert X-Client-DN X-Client-Verify SSL-Client-Cert X-SSL-Client-Cert
  X-SSL-Client-DN X-SSL-Client-S-DN X-SSL-Client-Verify X-Forwarded-Client-Cert X-ARR-ClientCert
`)

/** Headers by which applications commonly learn from where they are asked, for which host, and for which address. */
export const forwardingHeaders: readonly string[] = words(`
  Forwarded X-Forwarded-For X-Real-IP X-Client-IP True-Client-IP Client-IP X-Forwarded-Host X-Forwarded-Server
  X-Forwarded-Port X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Ssl X-Forwarded-Prefix X-Forwarded-Uri
  X-Original-URL X-Original-URI X-Rewrite-URL X-Script-Name Proxy
`)

/** Headers by which a proxy speaks to an application, or by which a client could pose as one. */
export const guardedHeaders: readonly string[] = [
  ...forwardingHeaders,
  // Where the request came from.
  ...words(`
    Forwarded-For X-Forwarded X-Forwarded-By X-Original-Forwarded-For X-Cluster-Client-IP X-Originating-IP
    X-Remote-IP X-Remote-Addr Remote-Addr CF-Connecting-IP CF-Connecting-IPv6 Fastly-Client-IP X-Azure-ClientIP
    X-Envoy-External-Address X-ProxyUser-IP Via
  `),
  // What it asked for.
  ...words(`
    X-Forwarded-Protocol X-Forwarded-Path X-Forwarded-Method X-Host X-Original-Host X-Original-Method X-Url-Scheme
    X-Scheme Front-End-Https X-HTTP-Method X-HTTP-Method-Override X-Method-Override Proxy-Connection Max-Forwards
    Upgrade
  `),
  // By which another proxy shows that it may ask: no visitor may even try.
  'X-Watchword-Secret',
  ...identityHeaders,
]
