import { isIPv4 } from 'node:net'
import { guardedHeaders, spellings } from './guarded-headers.ts'
import { pathname, portNumber, serverName, shown, VhostError } from './vhost-values.ts'

/** What the virtual hosts of one Watchword are made from. */
export interface VhostSite {
  /** The one public name; every redirect and every `Host` that the application sees is made from it. */
  readonly serverName: string
  /** Absolute path of the certificate, PEM, with its chain. */
  readonly certificate: string
  /** Absolute path of the private key of the certificate, PEM. */
  readonly key: string
  readonly backend: VhostBackend
  /** Port of the unencrypted host; 80 unless told. */
  readonly httpPort?: number
  /** Port of the encrypted host; 443 unless told. */
  readonly httpsPort?: number
}

/** Where Watchword listens: only what other machines cannot reach. */
export type VhostBackend =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * The text of the two virtual hosts of a site, ready for `apachectl configtest`.
 *
 * @throws VhostError for any value that could end Apache's quoting, be expanded by Apache or name something
 *   that other machines can reach.
 */
export function vhostConfiguration(site: VhostSite): string {
  const name = serverName(site.serverName)
  const httpPort = portNumber('httpPort', site.httpPort ?? 80)
  const httpsPort = portNumber('httpsPort', site.httpsPort ?? 443)
  if (httpPort === httpsPort) throw new VhostError('httpPort and httpsPort are the same: write two ports')
  const authority = httpsPort === 443 ? name : `${name}:${httpsPort}`
  const certificate = pathname('certificate', site.certificate)
  const key = pathname('key', site.key)
  return [
    introduction(authority),
    plainHost({ name, authority, port: httpPort }),
    secureHost({ name, authority, port: httpsPort, certificate, key, backend: site.backend }),
  ].join('\n')
}

const introduction = (authority: string): string => `\
# Watchword behind Apache httpd 2.4, for https://${authority}
# Printed by "watchword apache vhost": print it again rather than edit it.
#
# Modules, on Debian:  a2enmod ssl proxy proxy_http headers
#   (alias, authz_core, env, reqtimeout are enabled already)
# Install:  put this file at /etc/apache2/sites-available/watchword.conf, then
#   a2ensite watchword && apachectl configtest && apachectl graceful
#
# Apache takes the limits on sizes and times, the strictness about HTTP and, for clients that send no name,
# everything else from the first site of a port: let this be the first one, or the only one.
`

interface PlainHost {
  readonly name: string
  readonly authority: string
  readonly port: number
}

const plainHost = ({ name, authority, port }: PlainHost): string => `\
<VirtualHost *:${port}>
  ServerName ${name}
  UseCanonicalName On
  ServerSignature Off
${limits}
  # Nothing is served here. A page is sent to its https address, which is made from the configured name and
  # never from the Host header. Whatever carries data in (a method other than GET and HEAD) is refused.
  <Location "/">
    Require method GET
    Redirect permanent "/" "https://${authority}/"
  </Location>

  # Calls of programs are refused, not redirected: a program that follows a redirect would never
  # tell its owner that it sends passwords and tokens in the clear.
  <LocationMatch "(?i)^/(?:auth|api|healthz|readyz|metrics|openapi\\.json)(?:/|$)">
    Require all denied
  </LocationMatch>
</VirtualHost>
`

interface SecureHost extends PlainHost {
  readonly certificate: string
  readonly key: string
  readonly backend: VhostBackend
}

const secureHost = (host: SecureHost): string => `\
<VirtualHost *:${host.port}>
  ServerName ${host.name}
  UseCanonicalName On
  ServerSignature Off
  # One wire format between browser and Apache.
  Protocols http/1.1
${limits}
  # TLS 1.2 with forward secrecy and authenticated encryption, or TLS 1.3.
  SSLEngine on
  SSLCertificateFile "${host.certificate}"
  SSLCertificateKeyFile "${host.key}"
  SSLProtocol -all +TLSv1.2 +TLSv1.3
  SSLCipherSuite ${cipherSuites.join(':')}
  SSLHonorCipherOrder off
  SSLCompression off
  # Tickets are sealed with a key that lives as long as Apache does: that would undo forward secrecy.
  SSLSessionTickets off
  # Stapling, if your authority answers OCSP. It also needs, outside of any virtual host:
  #   SSLStaplingCache "shmcb:/var/run/apache2/stapling(65536)"
  # SSLUseStapling on

  # The application sets these itself; answers that Apache makes (errors) get them here. The condition keeps
  # an answer from having them twice.
${onceOnly('Strict-Transport-Security', 'max-age=31536000')}
${onceOnly('X-Content-Type-Options', 'nosniff')}

  # Numbers about the running servers, this one and the one behind it, are not for visitors.
  <LocationMatch "(?i)^/(?:metrics|server-status|server-info)(?:/|$)">
    Require all denied
  </LocationMatch>

  # Answers with secrets in them are not compressed: their length would tell about the secrets. The application
  # has none under /static/.
  <LocationMatch "^/(?!static/)">
    SetEnv no-gzip 1
    SetEnv no-brotli 1
  </LocationMatch>

  # retry=0: ask again at once after a failure. Releases before 2.4.47 would refuse for a minute instead.
  # ttl: let go of an idle connection before the application does.
  ProxyRequests Off
  ProxyPass "/" "${backendAddress(host.backend, host.authority)}" retry=0 connectiontimeout=2 timeout=30 ttl=3

  # An error of the application says what to do: people get that page, not one of Apache.
  ProxyErrorOverride Off

  # LimitRequestBody does not hold for what is passed on. A body without a length is counted by the application.
  <If "req_novary('Content-Length') -gt ${bodyLimit}">
    Redirect 413 "/"
  </If>

  # The application sees the configured name, whatever the client asked for.
  ProxyPreserveHost On
  RequestHeader set Host "${host.authority}"

  # The client's address and the scheme, written by us alone. Apache would append to what the client sent.
  ProxyAddHeaders Off
  RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"
  RequestHeader set X-Forwarded-Proto "https"

  # Apache removes every header that Connection names on its way to the application, those set above too.
  # So of the client's Connection only one word is kept.
  RequestHeader edit Connection "(?i)^(?:.*[,\\s])?(close|keep-alive)(?:[,\\s].*)?$" "$1"
  RequestHeader unset Connection "expr=! (tolower(req_novary('Connection')) in {'close', 'keep-alive'})"

  # Names that only Apache may write, or that could change who, where or what a request is. An application that
  # folds names into variables takes X_Remote_User for X-Remote-User, hence every spelling.
${guardedHeaders
  .flatMap(spellings)
  .map((header) => `  RequestHeader unset ${header} early`)
  .join('\n')}
</VirtualHost>
`

/** Bytes; what the application takes by default. */
const bodyLimit = 16_384

/** Both hosts: what is refused before anybody looks at the content. Node takes 16 KiB of headers. */
const limits = `
  TraceEnable off
  HttpProtocolOptions Strict Require1.0
  LimitRequestLine 4094
  LimitRequestFields 64
  LimitRequestFieldSize 8190
  LimitRequestBody ${bodyLimit}
  RequestReadTimeout handshake=5-10,MinRate=500 header=10-20,MinRate=500 body=10-20,MinRate=500
  Timeout 60
`

const cipherSuites = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

const onceOnly = (header: string, value: string): string =>
  `  Header always set ${header} "${value}" "expr=-z resp('${header}')"`

function backendAddress(backend: VhostBackend, authority: string): string {
  switch (backend.kind) {
    case 'unix': {
      const path = pathname('backend.path', backend.path)
      if (!/^[\w./@+-]{2,95}$/.test(path)) {
        throw new VhostError(
          `backend.path: write at most 95 letters, digits and . _ @ + - /, not ${shown(path)}`,
        )
      }
      return `unix:${path}|http://${authority}/`
    }
    case 'tcp': {
      const port = portNumber('backend.port', backend.port)
      if (backend.host === '::1') return `http://[::1]:${port}/`
      if (isIPv4(backend.host) && backend.host.startsWith('127.')) return `http://${backend.host}:${port}/`
      throw new VhostError(
        `backend.host ${shown(backend.host)} is not loopback: write 127.0.0.1 or ::1, or use a Unix socket`,
      )
    }
  }
}
