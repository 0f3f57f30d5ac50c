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
 * IPv4 within IPv6 (`::ffff:192.0.2.1`, however it is spelled) counts as IPv4. Any other text, such as that of a
 * Unix socket, is a network of its own.
 */
export function networksOf(address: string): Networks {
  const text = address.toLowerCase().split('%', 1)[0] ?? ''
  const groups = groupsOf(text)
  const ipv4 = groups === undefined ? text : ipv4Within(groups)
  if (ipv4 !== undefined && /^\d+\.\d+\.\d+\.\d+$/.test(ipv4)) {
    return { network: ipv4, site: `${ipv4.slice(0, ipv4.lastIndexOf('.'))}.0/24` }
  }
  if (groups === undefined) return { network: text, site: text }
  return { network: `${groups.slice(0, 4).join(':')}::/64`, site: `${groups.slice(0, 3).join(':')}::/48` }
}

/** A block of addresses: all whose first `prefix` bits are those of `address`. */
export interface Network {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** Whether an address lies within a network; a text that is no address lies within none. */
export function isInNetwork(address: string, network: Network): boolean {
  const [bits, block] = [bitsOf(address), bitsOf(network.address)]
  if (bits === undefined || block === undefined || bits.length !== block.length) return false
  return bits.startsWith(block.slice(0, network.prefix))
}

/** The 32 or 128 bits of an address as a text of zeros and ones; IPv4 within IPv6 is IPv4. */
function bitsOf(address: string): string | undefined {
  const text = address.toLowerCase()
  const groups = groupsOf(text)
  const ipv4 = groups === undefined ? text : ipv4Within(groups)
  if (ipv4 !== undefined) {
    const bytes = ipv4.split('.')
    if (bytes.length !== 4 || !bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) < 256))
      return undefined
    return bytes.map((byte) => Number(byte).toString(2).padStart(8, '0')).join('')
  }
  return groups?.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}

/** The eight groups of an IPv6 address without leading zeros; `undefined` when it is none. */
function groupsOf(text: string): string[] | undefined {
  const [head = '', tail, ...more] = inGroups(text).split('::')
  if (more.length > 0) return undefined
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined
  return groups.map((group) => Number.parseInt(group, 16).toString(16))
}

/** The last 32 bits of an address that end it in dotted form, as two groups. */
function inGroups(text: string): string {
  return text.replace(/:(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.slice(0, 4).map((byte) => Number(byte).toString(16).padStart(2, '0'))
    return `:${a}${b}:${c}${d}`
  })
}

/** The IPv4 address that an IPv6 address carries (RFC 4291 §2.5.5.2). */
function ipv4Within(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined
  return groups
    .slice(6)
    .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
    .join('.')
}
