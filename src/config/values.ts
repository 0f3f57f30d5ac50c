import { BlockList, isIP } from 'node:net'

/** Says why a value is refused; never returns. The sentence goes after the value: `has no port`. */
export type Refuse = (why: string) => never

/** Where the server waits for requests. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** Parses `host:port`, `[v6]:port` or `unix:path`. Port 0 means any free port. */
export function parseListen(text: string, refuse: Refuse): ListenAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    return path === ''
      ? refuse('names no path after "unix:"')
      : { kind: 'unix', path: checkPath(path, refuse) }
  }
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return refuse('is neither "host:port" nor "unix:path"')
  const isAddress = bracketed === undefined ? isIP(host) === 4 : isIP(host) === 6
  if (!isAddress && host !== 'localhost') return refuse('does not begin with an IP address or "localhost"')
  if (Number(digits) > 65535) return refuse('has a port above 65535')
  return { kind: 'tcp', host, port: Number(digits) }
}

/** The text that `parseListen` reads back as the same address. */
export function printListen(listen: ListenAddress): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`
  return `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`
}

/** Where the authorizer waits for Apache; `off` for nowhere. */
export type AuthorizerAddress =
  | { readonly kind: 'off' }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** Parses `off` or an address of this machine itself with a port: Apache's module knows no Unix socket. */
export function parseAuthorizer(text: string, refuse: Refuse): AuthorizerAddress {
  if (text === 'off') return { kind: 'off' }
  if (!/^(?:127\.[\d.]+|\[::1\]):/.test(text)) {
    return refuse('is neither "off" nor an address of this machine itself, 127.0.0.1 or [::1], with a port')
  }
  const listen = parseListen(text, refuse)
  return listen.kind === 'unix' ? refuse('is a Unix socket, which mod_authnz_fcgi cannot reach') : listen
}

/** Parses the address of a balancer on this machine in front of several authorizers. */
export function parseAuthorizerBalancer(text: string, refuse: Refuse): ListenAddress & { kind: 'tcp' } {
  const address = parseAuthorizer(text, refuse)
  return address.kind === 'off' || address.port === 0
    ? refuse('is no address with a port, where a balancer listens')
    : address
}

/** The text that `parseAuthorizer` reads back as the same. */
export function printAuthorizer(address: AuthorizerAddress): string {
  return address.kind === 'off' ? 'off' : printListen(address)
}

/** Which database, and where. */
export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** Parses `sqlite:path` or a PostgreSQL URL. A database in memory is refused: it would forget everybody. */
export function parseDatabase(text: string, refuse: Refuse): DatabaseAddress {
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length)
    if (path === '') return refuse('names no path after "sqlite:"')
    if (path.startsWith(':')) return refuse('is not a file')
    if (/^\/\/[^/]/.test(path))
      return refuse('has two slashes after "sqlite:", where a path needs none, one or three')
    return { kind: 'sqlite', path: checkPath(path, refuse) }
  }
  if (!/^postgres(ql)?:\/\//.test(text)) {
    return refuse('begins with neither "sqlite:" nor "postgres://" nor "postgresql://"')
  }
  return URL.canParse(text) ? { kind: 'postgres', url: text } : refuse('is not a URL')
}

/** The database for people to read: as `parseDatabase` takes it, but without passwords. */
export function printDatabase(database: DatabaseAddress): string {
  if (database.kind === 'sqlite') return `sqlite:${database.path}`
  const url = new URL(database.url)
  if (url.password !== '') url.password = '***'
  for (const name of url.searchParams.keys()) {
    if (/passw|secret/i.test(name)) url.searchParams.set(name, '***')
  }
  return url.href
}

/** A block of addresses; a single address has the longest prefix. Fits `net.BlockList#addSubnet`. */
export interface Network {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  /** Bits that are fixed: up to 32 for IPv4, up to 128 for IPv6. */
  readonly prefix: number
}

/** The widest blocks that anybody has at home: 10.0.0.0/8 and fc00::/7. */
const widestPrefix = { ipv4: 8, ipv6: 7 } as const

/**
 * Parses an address or a CIDR block.
 *
 * Refuses wildcards, and what is one in disguise: blocks wider than any private network, so that nobody
 * trusts the Internet by two halves, and IPv6 blocks that hold all of IPv4 (SEC-PXY-1).
 */
export function parseNetwork(text: string, refuse: Refuse): Network {
  if (text === '*') return refuse('is a wildcard, and would trust everybody')
  const [, address = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return refuse('is not an IP address or a network such as "10.1.0.0/16"')
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const longest = version === 4 ? 32 : 128
  const prefix = digits === undefined ? longest : Number(digits)
  if (prefix > longest) return refuse(`has a prefix longer than /${longest}`)
  if (prefix === 0) return refuse('is a wildcard, and would trust everybody')
  if (prefix < widestPrefix[family])
    return refuse(`is wider than /${widestPrefix[family]}, and would trust strangers`)
  if (family === 'ipv6' && prefix < longest && overlapsIpv4(address, prefix)) {
    return refuse('is a block of IPv6 that stands for IPv4 too: list the IPv4 network itself')
  }
  return { family, address, prefix }
}

/** Whether an IPv6 block shares addresses with ::ffff:0:0/96, which is IPv4 once more. */
function overlapsIpv4(address: string, prefix: number): boolean {
  const block = new BlockList()
  block.addSubnet(address, prefix, 'ipv6')
  const mapped = new BlockList()
  mapped.addSubnet('::ffff:0:0', 96, 'ipv6')
  return block.check('::ffff:0:0', 'ipv6') || mapped.check(address, 'ipv6')
}

/** The text that `parseNetwork` reads back as the same block. */
export function printNetwork({ address, prefix }: Network): string {
  return `${address}/${prefix}`
}

/**
 * Parses the address people see in their browser, to its WHATWG form: scheme, host, port unless usual.
 *
 * Plain http is for loopback only: elsewhere passwords would travel readable.
 */
export function parseOrigin(text: string, refuse: Refuse): string {
  if (!/^https?:\/\//i.test(text)) return refuse('does not begin with "https://"')
  if (!/^https?:\/\/[^/?#@*\s\\]+\/?$/i.test(text)) return refuse('is more than a scheme, a host and a port')
  const url = URL.parse(text)
  if (!url) return refuse('is not a URL')
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return refuse('is plain http on a host that is not loopback')
  return url.origin
}

/** Whether a host means this machine alone: `localhost`, 127.0.0.0/8, ::1 with or without brackets. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host === '::1' ||
    host === '[::1]' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}

/** Parses permission bits written as three octal digits, as `chmod` takes them. */
export function parseFileMode(text: string, refuse: Refuse): number {
  return /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : refuse('is not three octal digits')
}

/** The text that `parseFileMode` reads back as the same bits. */
export function printFileMode(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}

/** A path that the operating system can take at all. */
export function checkPath(text: string, refuse: Refuse): string {
  if (text === '') return refuse('is empty')
  return text.includes('\0') ? refuse('holds a NUL character') : text
}

/** A path that Apache's expressions can be written with as it is. */
export function parseLeaseFolder(text: string, refuse: Refuse): string {
  if (!text.startsWith('/')) return refuse('does not begin with "/"')
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(text)) {
    return refuse('has an empty part, one that begins with ".", or another sign')
  }
  return text.length <= 200 ? text : refuse('is longer than 200 characters')
}

/**
 * Parses a colour of six hexadecimal digits; refuses one on which white text, or which on white, would be hard to read
 * (WCAG 2.2, 1.4.3: a contrast of 4.5).
 */
export function parseAccent(text: string, refuse: Refuse): string {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return refuse('is not "#" and six hexadecimal digits')
  const contrast = 1.05 / (luminanceOf(text) + 0.05)
  return contrast >= 4.5 ? text.toLowerCase() : refuse('is too light for white text on it')
}

/** Relative luminance of WCAG 2.2. */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
