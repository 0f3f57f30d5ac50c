import { z } from 'zod'
import { isPasswordTooLong } from '../../domain/password/policy.ts'
import { parseReturnTo } from '../../domain/return-to.ts'
import { parseToken, type Token } from '../../domain/token.ts'
import type { Edge } from '../endpoint.ts'

/** Any text of a form; what it means is for the action to say. */
export const text = z.string().max(1024)

/** A count that the page itself keeps between two answers. */
export const count = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)

/** Where to go on to, as it was asked for; `checkedReturnTo` says whether that may be. */
export const returnTo = z.string().max(2048).optional().catch(undefined)

/** The address to go on to, if people may be sent there (SEC-RED-1). */
export function checkedReturnTo(asked: string | undefined, { returnOrigins }: Edge): string | undefined {
  return asked === undefined ? undefined : parseReturnTo(asked, returnOrigins)
}

/** A path of ours with where to go on to behind it. */
export function addressOf(path: string, returnTo: string | undefined): string {
  return returnTo === undefined ? path : `${path}?${new URLSearchParams({ return_to: returnTo })}`
}

/** Whether a password could be anybody's: others are refused for everybody alike, before any work (SEC-PW-2, SEC-PW-4). */
export function isPassword(typed: string): boolean {
  return typed !== '' && typed.isWellFormed() && !isPasswordTooLong(typed)
}

/** The code of a one-time link; whoever pastes the whole link means the part behind its #. */
export function linkCode(typed: string): Token | undefined {
  return parseToken(typed.trim().replace(/^.*#/, ''))
}
