import type { Random } from './random.ts'

/** Headers as they are to be written, in order. */
export type HeaderLines = readonly (readonly [string, string])[]

export interface ForgedCase {
  /** The name that is forged, and how. */
  readonly what: string
  readonly headers: HeaderLines
  /** Whether a server may find that such a request is none at all. */
  readonly mayBeRefused: boolean
}

const words = (text: string): string[] => text.trim().split(/\s+/)

/** By which proxies tell an application who asks. */
const identity = words(`
  Remote-User X-Remote-User X-Remote-Groups X-Remote-Name X-Remote-Email X-Forwarded-User X-Forwarded-Email
  X-Forwarded-Groups X-Forwarded-Preferred-Username X-Auth-Request-User X-Auth-Request-Email X-Auth-User
  X-Authenticated-User X-Authenticated-Userid X-WebAuth-User X-User X-User-Id X-Username X-Watchword-User
  X-Watchword-Assertion X-SSL-Client-DN X-Client-Cert Client-Cert
`)

/** By which they tell from where, for which host and address, and how. */
const forwarding = words(`
  Forwarded X-Forwarded-For X-Real-IP X-Client-IP True-Client-IP Client-IP X-Forwarded-Host X-Forwarded-Server
  X-Forwarded-Port X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Ssl X-Forwarded-Prefix X-Forwarded-Uri
  X-Original-URL X-Original-URI X-Rewrite-URL X-Script-Name Proxy
`)

/** What else was believed somewhere. */
const others = words(`
  X-Cluster-Client-IP CF-Connecting-IP Fastly-Client-IP X-Originating-IP X-Remote-IP X-Remote-Addr X-Host
  X-Original-Host X-Forwarded-Method X-Original-Method X-HTTP-Method X-HTTP-Method-Override X-Method-Override
  X-Url-Scheme X-Scheme Front-End-Https Via X-ProxyUser-IP
`)

/** Names whose value no client may decide, in the form that folds them all together. */
export const guardedNames: ReadonlySet<string> = new Set([...identity, ...forwarding].map(fold))

/** The name as programs see it that make variables of headers. */
export function fold(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

/** What shows that a forged value was believed. */
export const FORGED = /mallory|evil\.example|203\.0\.113\./

/** Some of these together. */
export function forgedMixture(random: Random): ForgedCase {
  const parts = Array.from({ length: 2 + random.below(4) }, () => random.pick(singleForgeries))
  return {
    what: parts.map(({ what }) => what).join(' + '),
    headers: parts.flatMap(({ headers }) => headers),
    // Several lines of 8 KiB are too much together.
    mayBeRefused: parts.some(({ mayBeRefused }) => mayBeRefused),
  }
}

type Forge = (name: string, value: string) => HeaderLines

const manners: Readonly<Record<string, Forge>> = {
  plain: (name, value) => [[name, value]],
  underscore: (name, value) => [[name.replaceAll('-', '_'), value]],
  mixed: (name, value) => [[swapCase(name.replace('-', '_')), value]],
  duplicate: (name, value) => [
    [name, value],
    [name.toLowerCase(), `${value}, ${value}`],
  ],
  empty: (name) => [[name, '']],
  control: (name, value) => [[name, `${value}\x01\x7f`]],
  long: (name, value) => [[name, value + 'a'.repeat(8192 - value.length)]],
  'named by Connection': (name, value) => [
    ['Connection', `close, ${name}, ${name.replaceAll('-', '_')}`],
    [name, value],
  ],
}

const swapCase = (name: string): string =>
  [...name].map((sign, index) => (index % 2 === 0 ? sign.toLowerCase() : sign.toUpperCase())).join('')

/** A value that would do harm where the header is believed. */
function valueFor(name: string): string {
  if (name === 'Forwarded') return 'for=203.0.113.7;host=evil.example;proto=http;by=203.0.113.8'
  if (/-(?:IP|For|Addr)$/i.test(name)) return '203.0.113.7'
  if (/Method/i.test(name)) return 'DELETE'
  if (/Proto|Scheme/i.test(name)) return 'evil.example'
  if (/Port$/i.test(name)) return '203.0.113.7'
  if (/UR[IL]$|Prefix|Script/i.test(name)) return '/admin/evil.example'
  if (/Host|Server|Proxy|Via/i.test(name)) return 'evil.example'
  return 'mallory'
}

/** Sixty names in eight manners. */
export const singleForgeries: readonly ForgedCase[] = [...identity, ...forwarding, ...others].flatMap(
  (name) =>
    Object.entries(manners).map(([manner, forge]) => ({
      what: `${name}, ${manner}`,
      headers: forge(name, valueFor(name)),
      mayBeRefused: manner === 'control' || manner === 'long',
    })),
)
