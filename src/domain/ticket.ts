import type { Seconds } from './time.ts'
import { parseToken, type Token } from './token.ts'

/** How long the browser has to bring a ticket from our pages to the host it is for. */
export const TICKET_LIFETIME: Seconds = 60

const PARAMETER = 'watchword_ticket'

const atEnd = /[?&]watchword_ticket=([A-Za-z0-9_-]{43})$/

/** An address of a protected host with a ticket at its end; what stands before stays as it was written. */
export function withTicket(address: string, ticket: Token): string {
  const [before = '', fragment] = address.split('#', 2)
  const separator = before.includes('?') ? '&' : '?'
  return `${before}${separator}${PARAMETER}=${ticket}${fragment === undefined ? '' : `#${fragment}`}`
}

/** The address, or the path of one, without the ticket at its end, and the ticket. */
export function takeTicket(address: string): { readonly rest: string; readonly ticket: Token | undefined } {
  const found = atEnd.exec(address)
  if (found === null) return { rest: address, ticket: undefined }
  return { rest: address.slice(0, found.index), ticket: parseToken(found[1] ?? '') }
}
