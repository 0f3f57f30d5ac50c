import { guardedHeaders, spellings } from './guarded-headers.ts'
import { pathname, portNumber, serverName, VhostError } from './vhost-values.ts'

/** What the virtual hosts of one Watchword are made from, whoever runs it. */
export interface Site {
  /** The one public name; every redirect and every `Host` that the application sees is made from it. */
  readonly serverName: string
  /** Absolute path of the certificate, PEM, with its chain. */
  readonly certificate: string
  /** Absolute path of the private key of the certificate, PEM. */
  readonly key: string
  /** Port of the unencrypted host; 80 unless told. */
  readonly httpPort?: number
  /** Port of the encrypted host; 443 unless told. */
  readonly httpsPort?: number
}

/** What one way of running Watchword adds to the virtual hosts that all ways share. */
export interface SiteParts {
  /** Lines before the virtual hosts: how they were made and what they need. */
  readonly introduction: string
  /** Lines in the encrypted host: how a request reaches the application, and how it learns of name, address and scheme. */
  readonly application: string
}

/** Host name, and port unless usual, as it stands in an address. */
export function authorityOf(site: Site): string {
  const name = serverName(site.serverName)
  const port = portNumber('httpsPort', site.httpsPort ?? 443)
  return port === 443 ? name : `${name}:${port}`
}

/**
 * The text of the two virtual hosts of a site.
 *
 * @throws VhostError for any value that could end Apache's quoting or be expanded by Apache.
 */
export function siteConfiguration(site: Site, { introduction, application }: SiteParts): string {
  const name = serverName(site.serverName)
  const httpPort = portNumber('httpPort', site.httpPort ?? 80)
  const httpsPort = portNumber('httpsPort', site.httpsPort ?? 443)
  if (httpPort === httpsPort) throw new VhostError('httpPort and httpsPort are the same: write two ports')
  const authority = authorityOf(site)
  const certificate = pathname('certificate', site.certificate)
  const key = pathname('key', site.key)
  return [
    introduction,
    plainHost({ name, authority, port: httpPort }),
    secureHost({ name, authority, port: httpsPort, certificate, key, application }),
  ].join('\n')
}

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
  readonly application: string
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

${host.application}
  # LimitRequestBody does not hold for what is passed on. A body without a length is counted by the application.
  <If "req_novary('Content-Length') -gt ${bodyLimit}">
    Redirect 413 "/"
  </If>

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
