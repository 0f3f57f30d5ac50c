import assert from 'node:assert/strict'
import type { Ran } from './watchword.ts'

/** It did it, said so, and had nothing to complain about. */
export function done(ran: Ran, said: RegExp = /./): void {
  assert.deepEqual({ code: ran.code, stderr: ran.stderr }, { code: 0, stderr: '' })
  assert.match(ran.stdout, said)
}

/** It refused, in one sentence. */
export function refused(ran: Ran, because: RegExp): void {
  failed(ran, 1, because)
}

/** It did not understand, and said what to write. */
export function misused(ran: Ran, because: RegExp): void {
  failed(ran, 2, because)
}

function failed(ran: Ran, code: number, because: RegExp): void {
  assert.equal(ran.code, code, ran.stderr)
  assert.match(ran.stderr, because)
  assert.equal(ran.stderr.trimEnd().split('\n').length, 1, 'one line')
  assert.equal(ran.stdout, '')
}

/** What a program would read from it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON at will, and fail where it is not as they think
export function json(ran: Ran): any {
  assert.equal(ran.stderr, '')
  return JSON.parse(ran.stdout)
}
