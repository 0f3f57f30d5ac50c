import { BlockList, isIP, isIPv4 } from 'node:net'
import { authorityOf, type Site, siteConfiguration } from './site.ts'
import { forwarding, socketPath, type VhostBackend } from './vhost.ts'
import { portNumber, shown, VhostError } from './vhost-values.ts'

/** A site in front of several nodes of Watchword that share one database. */
export interface BalancedSite extends Site {
  /** Where each node listens: a Unix socket, loopback, or an address of a private network. */
  readonly nodes: readonly VhostBackend[]
}

/**
 * The text of the two virtual hosts of a site whose requests any of the nodes may answer.
 *
 * @throws VhostError for no node, one that is named twice, and any value that could end Apache's quoting, be expanded by
 *   Apache or name something that strangers can reach.
 */
export function balancedConfiguration(site: BalancedSite): string {
  const authority = authorityOf(site)
  const members = site.nodes.map(member)
  if (members.length === 0) throw new VhostError('nodes: name at least one')
  const twice = members.find(({ where }, index) => members.findIndex((each) => each.where === where) < index)
  if (twice !== undefined) throw new VhostError(`nodes: ${shown(twice.where)} is there twice`)
  return siteConfiguration(site, {
    introduction: introduction(authority),
    application: balanced(members.map(({ line }) => line)) + forwarding(authority),
  })
}

const introduction = (authority: string): string => `\
# Several nodes of Watchword behind Apache httpd 2.4, for https://${authority}
# Printed by "watchword apache vhost --node …": print it again rather than edit it.
#
# Modules, on Debian:  a2enmod ssl proxy proxy_http proxy_balancer lbmethod_bybusyness proxy_hcheck headers
#   (alias, authz_core, env, reqtimeout are enabled already, slotmem_shm comes with proxy_balancer)
# Install:  put this file at /etc/apache2/sites-available/watchword.conf, then
#   a2ensite watchword && apachectl configtest && apachectl graceful
#
# Apache takes the limits on sizes and times, the strictness about HTTP and, for clients that send no name,
# everything else from the first site of a port: let this be the first one, or the only one.
`

const balanced = (members: readonly string[]): string => `\
  # Nodes keep no state: whichever is there answers, and nobody is kept to one.
  # ping: a body is sent only to a node that has just asked for it, so a request with a body goes to a second node only
  # where the first has not seen the body. Once it has, Apache answers 502 and repeats nothing. A node that answers
  # 503 is not taken out: it may be busy, and so would be the next.
  # hcuri: a node that cannot sign people in gets nobody, and is back two seconds after it can. Apache cannot
  # ask a Unix socket so: there a failed request counts for retry seconds.
  # ttl: let go of an idle connection before the application does.
  <Proxy "balancer://watchword">
${members.map((line) => `    ${line}`).join('\n')}
    # The node with the fewest open requests: one that hangs is given no more than a few.
    ProxySet lbmethod=bybusyness
  </Proxy>
  ProxyRequests Off
  ProxyPass "/" "balancer://watchword/"
`

const usual = 'connectiontimeout=2 timeout=15 ping=2 ttl=3'

interface Member {
  readonly where: string
  readonly line: string
}

function member(node: VhostBackend, index: number): Member {
  switch (node.kind) {
    case 'unix': {
      const where = socketPath('nodes', node.path)
      // The name is never looked up and Host is set below; it tells the members apart.
      return { where, line: `BalancerMember "unix:${where}|http://node-${index + 1}" ${usual} retry=2` }
    }
    case 'tcp': {
      const where = `${isIPv4(node.host) ? node.host : `[${node.host}]`}:${portNumber('nodes', node.port)}`
      const version = isIP(node.host)
      if (version === 0 || !reachable.check(node.host, version === 4 ? 'ipv4' : 'ipv6')) {
        throw new VhostError(
          `nodes ${shown(node.host)} is neither loopback nor an address of a private network: passwords would travel readable`,
        )
      }
      const checks = 'retry=60 hcmethod=GET hcuri=/readyz hcinterval=2'
      return { where, line: `BalancerMember "http://${where}" ${usual} ${checks}` }
    }
  }
}

/** Loopback, and what never is routed on the Internet (RFC 1918, RFC 4193, RFC 6598). */
const reachable = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  reachable.addSubnet(network, prefix, 'ipv4')
reachable.addAddress('::1', 'ipv6')
reachable.addSubnet('fc00::', 7, 'ipv6')
