/** The networks that an address is counted under (SEC-RATE-2). */
export interface Networks {
  /** What one customer gets: an IPv4 address, or the first 64 bits of IPv6. */
  readonly network: string
  /** What one site may hold: 24 bits of IPv4, or 48 bits of IPv6. */
  readonly site: string
}

/**
 * The networks of an address in its text form.
 *
 * IPv4 within IPv6 (`::ffff:192.0.2.1`) counts as IPv4. Any other text, such as that of a Unix socket, is a
 * network of its own.
 */
export function networksOf(address: string): Networks {
  const text = address.toLowerCase().split('%', 1)[0] ?? ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1]
  const ipv4 = mapped ?? text
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ipv4)) {
    return { network: ipv4, site: `${ipv4.slice(0, ipv4.lastIndexOf('.'))}.0/24` }
  }
  const groups = groupsOf(text)
  if (groups === undefined) return { network: text, site: text }
  return { network: `${groups.slice(0, 4).join(':')}::/64`, site: `${groups.slice(0, 3).join(':')}::/48` }
}

/** The eight groups of an IPv6 address without leading zeros. */
function groupsOf(text: string): string[] | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (!text.includes(':') || more.length > 0) return undefined
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return groups.map((group) => Number.parseInt(group, 16).toString(16))
}
