import { isIPv4 } from 'node:net'
import { authorityOf, type Site, siteConfiguration } from './site.ts'
import { pathname, portNumber, shown, VhostError } from './vhost-values.ts'

/** A site in front of a Watchword that runs by itself. */
export interface VhostSite extends Site {
  readonly backend: VhostBackend
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
  const authority = authorityOf(site)
  return siteConfiguration(site, {
    introduction: introduction(authority),
    application: proxied(backendAddress(site.backend, authority), authority),
  })
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

const proxied = (backend: string, authority: string): string => `\
  # retry=0: ask again at once after a failure. Releases before 2.4.47 would refuse for a minute instead.
  # ttl: let go of an idle connection before the application does.
  ProxyRequests Off
  ProxyPass "/" "${backend}" retry=0 connectiontimeout=2 timeout=30 ttl=3
${forwarding(authority)}`

/** What the application learns of a request, and that its errors reach people; ends within the encrypted host. */
export const forwarding = (authority: string): string => `
  # An error of the application says what to do: people get that page, not one of Apache.
  ProxyErrorOverride Off

  # The application sees the configured name, whatever the client asked for.
  ProxyPreserveHost On
  RequestHeader set Host "${authority}"

  # The client's address and the scheme, written by us alone. Apache would append to what the client sent.
  ProxyAddHeaders Off
  RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"
  RequestHeader set X-Forwarded-Proto "https"
`

/** The path of a socket as it can stand in an address of Apache. */
export function socketPath(setting: string, given: string): string {
  const path = pathname(setting, given)
  if (/^[\w./@+-]{2,95}$/.test(path)) return path
  throw new VhostError(`${setting}: write at most 95 letters, digits and . _ @ + - /, not ${shown(path)}`)
}

function backendAddress(backend: VhostBackend, authority: string): string {
  switch (backend.kind) {
    case 'unix': {
      return `unix:${socketPath('backend.path', backend.path)}|http://${authority}/`
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
