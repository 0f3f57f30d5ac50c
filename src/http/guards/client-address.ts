import { BlockList, isIP } from 'node:net'

/** Who is at the other end of the connection itself. */
export type Peer = { readonly kind: 'tcp'; readonly address: string } | { readonly kind: 'unix' }

/** A network, as settings give it. */
export interface Network {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** What a peer of a Unix socket is called when no proxy says whom it speaks for. */
const LOCAL = 'local'

/** Tells where a request comes from; forwarding headers count only from listed peers (SEC-RATE-3, SEC-PXY-2). */
export type ClientAddress = (peer: Peer, forwardedFor: string | null) => string

/** A test for membership in any of the networks. */
export function networkTest(networks: readonly Network[]): (address: string) => boolean {
  const list = new BlockList()
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family)
  return (address) => {
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/**
 * Believes `X-Forwarded-For` from trusted peers only, and of it the right-most address that is not itself a trusted
 * peer. Anything malformed falls back to the last hop that is known, never to "unknown".
 */
export function clientAddress(trusted: readonly Network[]): ClientAddress {
  const isTrusted = networkTest(trusted)
  return (peer, forwardedFor) => {
    const direct = peer.kind === 'unix' ? LOCAL : withoutMapping(peer.address)
    if (forwardedFor === null || !(peer.kind === 'unix' || isTrusted(direct))) return direct
    let nearest = direct
    for (const hop of forwardedFor.split(',').reverse()) {
      const address = withoutMapping(hop.trim())
      if (isIP(address) === 0) return nearest
      nearest = address
      if (!isTrusted(address)) return nearest
    }
    return nearest
  }
}

/** IPv4 as it appears on a socket that also takes IPv6. */
function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
