import { createPasswordHasher } from '../../src/crypto/password-hasher.ts'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'

/** Hashes at the least that argon2 can do, for trials of something else than the hash. */
export const leastHasher = createPasswordHasher({
  parameters: { memoryKib: 8, passes: 1, parallelism: 1 },
  ...{ threads: 1, queue: 100, deadline: 60 },
})

/** Of a password, at that cost. */
export async function leastHash(password: string): Promise<PasswordHash> {
  using turn = leastHasher.enter()
  if (turn === undefined) throw new Error('A new queue is full.')
  return turn.hash(password)
}
