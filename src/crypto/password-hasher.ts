import { hash, verify } from '@node-rs/argon2'
import { HashQueueTimeout } from '../domain/faults.ts'
import {
  type HashParameters,
  hashParametersOf,
  type PasswordHash,
} from '../domain/password/hash-parameters.ts'
import { isBounded, readOldHash } from '../domain/password/old-hash.ts'
import { normalizePassword } from '../domain/password/policy.ts'
import { Company } from './company.ts'
import { entropy } from './random.ts'

/**
 * Argon2id, and hashes that were imported, behind a bounded queue: first come, first served, and a clear no
 * when it is full (SEC-PW-16).
 */
export interface PasswordHasher {
  readonly parameters: HashParameters
  /** A place in the queue, or `undefined` when there is none; take it before anything is charged. */
  enter(): HashTurn | undefined
  /** How many are hashing and waiting, for metrics. */
  load(): { readonly running: number; readonly waiting: number }
}

/** A place in the queue, good for any number of hashes one after another; give it back by `using`. */
export interface HashTurn extends Disposable {
  /**
   * Whether the password belongs to the hash, ours or one that was imported.
   *
   * Without a hash the same work is done for nobody: on the decoy, which is somebody else's, or on one of ours
   * (SEC-AUTH-6).
   */
  verify(stored: PasswordHash | undefined, password: string, decoy?: PasswordHash): Promise<boolean>
  hash(password: string): Promise<PasswordHash>
}

export interface PasswordHasherOptions {
  readonly parameters: HashParameters
  /** Threads that hash, which is the size of the thread pool; more than the processor has cores only costs memory. */
  readonly threads: number
  /** How many may hold a place at once beyond those that are being hashed or lie ready. */
  readonly queue: number
  /** Longest wait for the turn, in seconds. */
  readonly deadline: number
}

/** `Algorithm.Argon2id` of the binding, whose enum is not there at run time. */
const ARGON2ID = 2

/** The longest that a result waits for others while every thread hashes: about two hashes of today's cost. */
const COMPANY_MS = 10

/** Bounds on what a stored hash may ask for, so that a row from elsewhere is no memory bomb. */
const largest: HashParameters = { memoryKib: 1 << 20, passes: 10, parallelism: 16 }

export function createPasswordHasher({
  parameters,
  threads,
  queue,
  deadline,
}: PasswordHasherOptions): PasswordHasher {
  // One more for each thread lies ready in the pool, so that no thread waits while this one is busy with a commit.
  const handedOver = 2 * threads
  const company = new Company(threads * 2, COMPANY_MS)
  const waiting: (() => void)[] = []
  let running = 0
  let places = 0
  let dummy: PasswordHash | undefined

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running < handedOver) running++
    else await turn()
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
      // With a thread idle nothing is gained by waiting.
      if (running < threads) company.setOff()
      else await company.join()
    }
  }

  function turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        const place = waiting.indexOf(start)
        if (place >= 0) waiting.splice(place, 1)
        reject(new HashQueueTimeout('The queue for password hashing is too slow.'))
      }, deadline * 1000)
      waiting.push(start)
    })
  }

  const rawHash = async (password: string): Promise<PasswordHash> =>
    (await hash(normalizePassword(password), {
      algorithm: ARGON2ID,
      memoryCost: parameters.memoryKib,
      timeCost: parameters.passes,
      parallelism: parameters.parallelism,
      outputLen: 32,
      salt: entropy(16),
    })) as PasswordHash

  const turnMethods = {
    verify: (stored: PasswordHash | undefined, password: string, decoy?: PasswordHash) =>
      inTurn(async () => {
        // Made once: for nobody the cost must be that of somebody, hashing included.
        dummy ??= await rawHash(Buffer.from(entropy(32)).toString('base64'))
        const compared = [stored ?? decoy].find(isUsable) ?? dummy
        const matches = await matchesHash(compared, password)
        // What a decoy says is never believed.
        return compared === stored && matches
      }),
    hash: (password: string) => inTurn(() => rawHash(password)),
  }

  return {
    parameters,
    enter() {
      if (places >= handedOver + queue) return undefined
      places++
      let held = true
      return {
        ...turnMethods,
        [Symbol.dispose]() {
          if (held) places--
          held = false
        },
      }
    },
    load: () => ({ running, waiting: waiting.length }),
  }
}

/** In the format that it was made in, whichever of them it is. */
async function matchesHash(stored: PasswordHash, password: string): Promise<boolean> {
  const old = readOldHash(stored)
  if (old === undefined) return verify(stored, normalizePassword(password))
  if (old.kind === 'argon2') return verify(stored, password)
  // Loaded where there are such hashes: it brings a binding of its own, and two MiB.
  const { matchesOldHash } = await import('./old-hashes.ts')
  return matchesOldHash(old, password)
}

function isUsable(stored: PasswordHash | undefined): boolean {
  if (stored === undefined) return false
  const old = readOldHash(stored)
  if (old !== undefined) return isBounded(old)
  const cost = hashParametersOf(stored)
  return (
    cost !== undefined &&
    cost.memoryKib <= largest.memoryKib &&
    cost.passes <= largest.passes &&
    cost.parallelism <= largest.parallelism
  )
}
