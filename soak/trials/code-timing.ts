import { createPasswordHasher } from '../../src/crypto/password-hasher.ts'
import { callerProof } from '../../src/domain/caller-proof.ts'
import { equalCodes } from '../../src/domain/otp/code.ts'
import { recoveryCodeFrom } from '../../src/domain/otp/recovery-code.ts'
import { findTimeStep } from '../../src/domain/otp/totp.ts'
import { formKeyOf, isFormKey, parseToken } from '../../src/domain/token.ts'
import { CHANCE, distanceOf } from '../support/classifier.ts'
import type { Random } from '../support/random.ts'
import { slowCode } from '../support/slow-models.ts'
import type { Judgement, Samples, Trial } from '../support/trial.ts'

const EACH = 500
const AUC_AROUND_HALF = 0.02
/** What a call takes less than the clock can tell is measured as so many calls. */
const CALLS = 8

/** How much of a secret is right does not show in how long it takes to see that it is wrong. */
export const codeTiming: Trial = {
  id: 'FT-TIME-2',
  name: 'code-timing',
  holds: `How long it takes to refuse a code, a key or a token tells nothing of which characters of it are right: ranks within ${AUC_AROUND_HALF} of chance.`,
  rounds: `times ${EACH} of each`,
  sizes: { ci: 4, soak: 100, release: 200 },
  needs: ['comparisons measured'],
  patience: 120,
  async begin() {
    const recovery = await recoveryCheck()
    // The first calls compile what they run.
    const warm = { below: () => 0, shuffled: <T>(list: readonly T[]) => [...list] }
    for (let turn = 0; turn < 3; turn++) {
      for (const check of checks) measureSync(check, warm, 500)
    }
    return {
      async round(_, random) {
        const samples: Record<string, number[]> = {}
        for (const check of checks) Object.assign(samples, measureSync(check, random, EACH))
        Object.assign(samples, await recovery(random))
        const measured = Object.values(samples).reduce((sum, values) => sum + values.length, 0)
        return { counts: { 'comparisons measured': measured }, violations: [], samples }
      },
      end: async () => undefined,
    }
  },
  judge,
}

/** Which part of what is sent is right. */
const parts = ['none', 'first', 'last', 'all but one'] as const
type Part = (typeof parts)[number]

/** A text that agrees with the right one where it is told to, and nowhere else. */
function guessOf(right: string, part: Part): string {
  const agrees = (at: number) => {
    if (part === 'first') return at === 0
    if (part === 'last') return at === right.length - 1
    return part === 'all but one' && at !== right.length >> 1
  }
  return [...right].map((sign, at) => (agrees(at) ? sign : sign === '7' ? '3' : '7')).join('')
}

interface Check {
  readonly name: string
  /** Draws a secret; gives how a text is compared with it. */
  readonly make: (bytes: Buffer) => { readonly right: string; readonly isRight: (text: string) => boolean }
}

const checks: readonly Check[] = [
  {
    name: 'code of an app',
    make(key) {
      const now = 1_790_000_000
      const parameters = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const
      const timing = { now, window: 1, drift: 0, lastUsed: -1 } as const
      const isRight = (code: string) => findTimeStep(code, key, parameters, timing).kind === 'match'
      return { right: slowCode(key, Math.floor(now / 30)), isRight }
    },
  },
  {
    name: 'text of a code',
    make: (bytes) => {
      const right = String(bytes.readUInt32BE(0) % 1e6).padStart(6, '0')
      return { right, isRight: (code) => equalCodes(code, right) }
    },
  },
  {
    name: 'secret of the caller',
    make: (bytes) => {
      const right = bytes.toString('base64url')
      return { right, isRight: callerProof(right) }
    },
  },
  {
    name: 'key of a form',
    make: (bytes) => {
      const token = parseToken(Buffer.concat([bytes, bytes]).subarray(0, 32).toString('base64url'))
      if (token === undefined) throw new Error('32 bytes are a token')
      return { right: formKeyOf(token), isRight: (key) => isFormKey(key, token) }
    },
  },
]

type Draws = Pick<Random, 'below' | 'shuffled'> & Partial<Pick<Random, 'bytes'>>

function measureSync({ name, make }: Check, random: Draws, times: number): Record<string, number[]> {
  const samples: Record<string, number[]> = Object.fromEntries(parts.map((part) => [`${name} | ${part}`, []]))
  for (let time = 0; time < times; time++) {
    const { right, isRight } = make(random.bytes?.(24) ?? Buffer.alloc(24, time))
    const guesses = new Map(parts.map((part) => [part, guessOf(right, part)]))
    for (const part of random.shuffled(parts)) {
      const guess = guesses.get(part) ?? ''
      const began = process.hrtime.bigint()
      let found = false
      for (let call = 0; call < CALLS; call++) found = isRight(guess) || found
      const took = Number(process.hrtime.bigint() - began)
      if (found) throw new Error(`${name}: a guess was right`)
      samples[`${name} | ${part}`]?.push(took)
    }
  }
  return samples
}

/** Recovery codes are compared by a hash of passwords; a tenth as many, for each takes as long as a hundred others. */
async function recoveryCheck() {
  const parameters = { memoryKib: 8, passes: 1, parallelism: 1 }
  const hasher = createPasswordHasher({ parameters, threads: 1, queue: 10, deadline: 10 })
  return async (random: Random): Promise<Record<string, number[]>> => {
    const samples: Record<string, number[]> = Object.fromEntries(
      parts.map((part) => [`recovery code | ${part}`, []]),
    )
    for (let time = 0; time < EACH / 10; time++) {
      const { secret } = recoveryCodeFrom(0, random.bytes(10))
      using turn = hasher.enter()
      if (turn === undefined) throw new Error('There is room for ten.')
      const hash = await turn.hash(secret)
      for (const part of random.shuffled(parts)) {
        const guess = guessOf(secret, part)
        const began = process.hrtime.bigint()
        const isRight = await turn.verify(hash, guess)
        const took = Number(process.hrtime.bigint() - began)
        if (isRight) throw new Error('recovery code: a guess was right')
        samples[`recovery code | ${part}`]?.push(took)
      }
    }
    return samples
  }
}

function judge(samples: Samples): Judgement {
  const violations: string[] = []
  let furthest = 0
  for (const [key, values] of Object.entries(samples)) {
    const [name = '', part = ''] = key.split(' | ')
    if (part === 'none') continue
    const { auc, error, difference } = distanceOf(values, samples[`${name} | none`] ?? [])
    furthest = Math.max(furthest, Math.abs(auc - 0.5))
    if (Math.abs(auc - 0.5) > AUC_AROUND_HALF + CHANCE * error) {
      violations.push(
        `${name}: ${part} right ranks at ${auc.toFixed(3)}, ${Math.round(difference / CALLS)} ns from none.`,
      )
    }
  }
  const figure = Math.round(furthest * 1000) / 1000
  return { figures: { 'area under the curve, furthest from a half': figure }, violations }
}
