import { createHash } from 'node:crypto'
import { timeStepAt, totpCode } from '../../src/domain/otp/totp.ts'
import { request } from './http.ts'
import type { Source } from './load.ts'

/** One password and one key for everybody: what is measured is the server, not the making of requests. */
export const PASSWORD = 'correct horse battery staple'
export const OTP_KEY = createHash('sha1').update('a key that opens nothing but this benchmark').digest()

export const PEOPLE = 30_000
export const SESSIONS = 1000

const parameters = { algorithm: 'sha1', digits: 6, period: 30, t0: 0 } as const

export const usernameOf = (index: number): string => `user${index}`

/** Session tokens are in both databases from the start. */
export const sessionTokenOf = (index: number): string =>
  createHash('sha256').update(`session ${index}`).digest('base64url')

/** A code works once for each user and time step, so nobody signs in twice with one server in the same step. */
export class People {
  /** The step of the code that each used last. */
  readonly #usedStep = new Int32Array(PEOPLE).fill(-1)
  #next = 0
  #step = -1
  #code = ''

  /** Sign-ins, everybody in turn. */
  readonly signIns: Source = () => {
    const otp = this.#codeNow()
    const index = this.#nextInLine()
    this.#usedStep[index] = this.#step
    const fields = { username: usernameOf(index), password: PASSWORD, otp }
    return {
      bytes: request('POST', '/auth/authenticate/', {
        headers: { 'x-forwarded-for': addressOf(index) },
        fields,
      }),
      // Whoever was sent away unheard may come again at once.
      done: (status) => {
        if (status === 503) this.#usedStep[index] = -1
      },
    }
  }

  /** What one of them sends to sign in at this moment. */
  signInOf(index: number): { username: string; password: string; otp: string } {
    return { username: usernameOf(index), password: PASSWORD, otp: this.#codeNow() }
  }

  #nextInLine(): number {
    for (let tried = 0; tried < PEOPLE; tried++) {
      const index = this.#next++ % PEOPLE
      if (this.#usedStep[index] !== this.#step) return index
    }
    throw new Error('Everybody has signed in already in these 30 seconds; prepare more people.')
  }

  #codeNow(): string {
    const step = timeStepAt(Math.floor(Date.now() / 1000), parameters)
    if (step !== this.#step) {
      this.#step = step
      this.#code = totpCode(OTP_KEY, step, parameters)
    }
    return this.#code
  }
}

/** Four people a network, as behind a proxy: one address for all would run into its own limit. */
export function addressOf(index: number): string {
  const network = index >> 2
  return `10.${(network >> 8) & 255}.${network & 255}.${1 + (index & 3)}`
}

/** Session checks with many different cookies in turn. */
export function sessionChecks(): Source {
  const jobs = Array.from({ length: SESSIONS }, (_, index) => ({
    bytes: request('GET', '/auth/session/', {
      headers: { cookie: `__Host-watchword-session=${sessionTokenOf(index)}` },
    }),
  }))
  let next = 0
  return () => jobs[next++ % jobs.length]
}
