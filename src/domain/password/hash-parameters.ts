/** Cost of argon2id (RFC 9106 §3.1). */
export interface HashParameters {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

declare const passwordHash: unique symbol

/**
 * A password hash in PHC string format, as `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`; an imported one in the format
 * of the program that made it, which `old-hash.ts` reads, until its user signs in.
 */
export type PasswordHash = string & { readonly [passwordHash]: true }

const argon2id =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{22,172}$/

/** Reads the cost out of a stored hash; `undefined` when it is not argon2id. */
export function hashParametersOf(hash: string): HashParameters | undefined {
  const [, memoryKib, passes, parallelism] = argon2id.exec(hash) ?? []
  if (memoryKib === undefined || passes === undefined || parallelism === undefined) return undefined
  return { memoryKib: Number(memoryKib), passes: Number(passes), parallelism: Number(parallelism) }
}

/** Whether a hash was made with other parameters than are wanted now, and is replaced at the next sign-in (SEC-PW-11). */
export function needsRehash(hash: string, wanted: HashParameters): boolean {
  const has = hashParametersOf(hash)
  if (has === undefined) return true
  return (
    has.memoryKib !== wanted.memoryKib ||
    has.passes !== wanted.passes ||
    has.parallelism !== wanted.parallelism
  )
}
