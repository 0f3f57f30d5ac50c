import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextRound } from 'node:timers/promises'
import { Company } from '../../src/crypto/company.ts'

/** Long enough that no timer ends in a test unless it is meant to. */
const LONG = 600_000

describe('going on together', () => {
  it('waits until the company is complete, then all go, and the next one begins', async () => {
    const company = new Company(3, LONG)
    const gone: number[] = []
    const join = (number: number) => company.join().then(() => gone.push(number))
    join(1)
    join(2)
    await nextRound()
    assert.deepEqual(gone, [])
    join(3)
    await nextRound()
    assert.deepEqual(gone, [1, 2, 3])
    join(4)
    await nextRound()
    assert.deepEqual(gone, [1, 2, 3])
    company.setOff()
    await nextRound()
    assert.deepEqual(gone, [1, 2, 3, 4])
  })

  it('lets the first wait no longer than it may', async () => {
    const company = new Company(3, 1)
    await Promise.all([company.join(), company.join()])
    await company.join()
  })
})
