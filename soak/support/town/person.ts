import type { Code } from './codes.ts'
import type { World } from './world.ts'

/** Somebody who signs in, with a book of what they were told. */
export interface Person {
  readonly username: string
  /** Where they are, as the proxy tells. */
  readonly address: string
  /** Empty until an administrator made them. */
  id: string
  world: World
  /** What holds if the request was done whose answer was lost. */
  perhaps: { readonly deed: string; readonly world: World; readonly code?: Spent } | undefined
  /** Whether a request of theirs is under way. */
  isBusy: boolean
  /** They were told to wait: until then nobody asks again, in milliseconds since 1970. */
  restsUntil: number
  /** Tokens of sessions that ended, the latest last. */
  readonly ended: string[]
  /** What was accepted, the latest last: it must never be again. */
  readonly spent: Spent[]
}

/** A code, or a recovery code, that was sent. */
export interface Spent {
  readonly text: string
  /** Of an authenticator; nothing for a recovery code. */
  readonly code?: Code
}

export function newPerson(
  username: string,
  { address, id, world }: Pick<Person, 'address' | 'id' | 'world'>,
): Person {
  return {
    ...{ username, address, id, world },
    ...{ perhaps: undefined, isBusy: false, restsUntil: 0, ended: [], spent: [] },
  }
}
