import { parseReturnTo } from '../domain/return-to.ts'
import { takeTicket } from '../domain/ticket.ts'
import type { Token } from '../domain/token.ts'
import type { AuthorizerRequest } from './request.ts'

/** Where on which host a request wants to go. */
export interface Place {
  /** The origin of the host, one of those that the settings list. */
  readonly host: string
  /** The whole address, to come back to; the root of the host where the address of the request cannot be kept. */
  address(): string
  /** What the end of the address carried; it is no part of `address` any more. */
  readonly ticket: Token | undefined
}

/** Longest address that fits into the address of our own page and back. */
const ADDRESS_MAXIMUM = 1800

/**
 * The place of a request, if it is on a listed host (SEC-RED-1).
 *
 * The target is what the client wrote, and is used to come back to: nothing is decided by it (M-11).
 */
export function placeOf(
  { scheme, host, requestUri = '/' }: Pick<AuthorizerRequest, 'scheme' | 'host' | 'requestUri'>,
  hosts: ReadonlySet<string>,
): Place | undefined {
  if (scheme === undefined || host === undefined) return undefined
  const asked = `${scheme}://${host}`
  // Mostly it is written as the settings write it.
  const origin = hosts.has(asked) ? asked : URL.parse(asked)?.origin
  if (origin === undefined || !hosts.has(origin)) return undefined
  const { rest, ticket } = takeTicket(inAscii(requestUri))
  return { host: origin, address: () => addressOf(origin, rest, hosts), ticket }
}

function addressOf(origin: string, rest: string, hosts: ReadonlySet<string>): string {
  const whole = rest.startsWith('/')
    ? parseReturnTo(`${origin}${rest}`, { own: origin, others: hosts })
    : undefined
  const address = whole === undefined ? undefined : inAscii(whole)
  const fits =
    address !== undefined && new URLSearchParams({ to: address }).toString().length <= ADDRESS_MAXIMUM
  return fits ? address : `${origin}/`
}

/** Bytes and signs that may not stand in a header as they are, in their percent form. */
function inAscii(text: string): string {
  return text.replace(/[\x80-\xff"'<>\\^`{|}]/g, (sign) => {
    return `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
