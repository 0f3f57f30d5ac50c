import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { findCounter, findCounterPair, hotpCode, type OtpParameters } from '../../../src/domain/otp/hotp.ts'

/** The key of RFC 4226 Appendix D. */
const key = Buffer.from('12345678901234567890')
const sixDigits: OtpParameters = { algorithm: 'sha1', digits: 6 }
const codeAt = (counter: number) => hotpCode(key, counter, sixDigits)
const highestCounter = Number.MAX_SAFE_INTEGER

describe('a counter code', () => {
  it('has the values of RFC 4226 Appendix D (SEC-OTP-17)', () => {
    const expected = [
      ...['755224', '287082', '359152', '969429', '338314'],
      ...['254676', '287922', '162583', '399871', '520489'],
    ]
    assert.deepEqual(
      expected.map((_, counter) => codeAt(counter)),
      expected,
    )
  })

  it('keeps its leading zeros (SEC-OTP-10)', () => {
    assert.equal(codeAt(44), '000152')
    assert.equal(codeAt(366), '000866')
    assert.equal(codeAt(349_495), '000000')
    assert.equal(findCounter('000152', key, sixDigits, { counter: 40, lookAhead: 5 }), 44)
    assert.equal(findCounter('152', key, sixDigits, { counter: 40, lookAhead: 5 }), undefined)
  })

  it('uses all 64 bits of the counter (SEC-OTP-10)', () => {
    // Made with oathtool, as the standard has none; see also oathtool.test.ts.
    const shortKey = Buffer.from('123')
    assert.equal(hotpCode(shortKey, 2 ** 33, sixDigits), '432533')
    assert.equal(hotpCode(shortKey, 9_007_199_254_740_980, { algorithm: 'sha1', digits: 8 }), '69876207')
    assert.equal(hotpCode(shortKey, highestCounter, { algorithm: 'sha1', digits: 8 }), '97295579')
    assert.notEqual(codeAt(2 ** 32), codeAt(0))
    assert.match(codeAt(highestCounter), /^[0-9]{6}$/)
  })

  it('is not made for a counter that is negative, broken or too large to be exact', () => {
    for (const counter of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => codeAt(counter), RangeError)
    }
  })
})

describe('looking ahead for a counter (SEC-OTP-13)', () => {
  const find = (code: string, counter: number, lookAhead = 5) =>
    findCounter(code, key, sixDigits, { counter, lookAhead })

  it('finds a token that is 0, 4 and 5 presses ahead, and not one that is 6', () => {
    assert.equal(find(codeAt(1000), 1000), 1000)
    assert.equal(find(codeAt(1004), 1000), 1004)
    assert.equal(find(codeAt(1005), 1000), 1005)
    assert.equal(find(codeAt(1006), 1000), undefined)
  })

  it('finds only the next code when it may not look ahead', () => {
    assert.equal(find(codeAt(1000), 1000, 0), 1000)
    assert.equal(find(codeAt(1001), 1000, 0), undefined)
  })

  it('never accepts a code of a lower counter', () => {
    for (let counter = 900; counter < 1000; counter++) {
      assert.equal(find(codeAt(counter), 1000), undefined)
    }
  })

  it('takes the higher counter when two have the same code, so the code cannot come again', () => {
    assert.equal(codeAt(910_737), codeAt(910_738))
    assert.equal(find(codeAt(910_737), 910_735), 910_738)
    assert.equal(find(codeAt(910_737), 910_739), undefined)
    assert.equal(codeAt(153_567), codeAt(153_569))
    assert.equal(find(codeAt(153_567), 153_567), 153_569)
    assert.equal(find(codeAt(153_567), 153_567, 1), 153_567)
  })

  it('does not match a code of another length', () => {
    const eight = hotpCode(key, 1000, { algorithm: 'sha1', digits: 8 })
    assert.equal(eight.slice(2), codeAt(1000))
    assert.equal(find(eight, 1000), undefined)
    assert.equal(find('', 1000), undefined)
  })

  it('comes to an end at the highest counter', () => {
    assert.equal(find(codeAt(highestCounter), highestCounter - 2), highestCounter)
    assert.equal(find(codeAt(highestCounter), highestCounter), highestCounter)
    assert.equal(find(codeAt(highestCounter), highestCounter + 1), undefined)
  })

  it('accepts no counter twice, and none but rising ones, whatever is typed in which order', () => {
    const presses = fc.array(fc.integer({ min: -8, max: 8 }), { maxLength: 40 })
    fc.assert(
      fc.property(presses, fc.integer({ min: 0, max: 10 }), (offsets, lookAhead) => {
        let counter = 20
        for (const offset of offsets) {
          const pressed = Math.max(0, counter + offset)
          const found = find(codeAt(pressed), counter, lookAhead)
          assert.equal(found, offset >= 0 && offset <= lookAhead ? pressed : undefined)
          if (found !== undefined) counter = found + 1
        }
      }),
    )
  })
})

describe('finding a token again by two codes in a row (SEC-OTP-13)', () => {
  const find = (first: number, second: number, counter: number, within = 50) =>
    findCounterPair([codeAt(first), codeAt(second)], key, sixDigits, { counter, within })

  it('finds a token that is 0, 49 and 50 presses ahead, and not one that is 51', () => {
    assert.equal(find(1000, 1001, 1000), 1001)
    assert.equal(find(1049, 1050, 1000), 1050)
    assert.equal(find(1050, 1051, 1000), 1051)
    assert.equal(find(1051, 1052, 1000), undefined)
  })

  it('wants the two codes next to each other and in order', () => {
    assert.equal(find(1010, 1012, 1000), undefined)
    assert.equal(find(1011, 1010, 1000), undefined)
    assert.equal(find(1010, 1010, 1000), undefined)
  })

  it('never accepts a pair that begins with a lower counter', () => {
    for (let counter = 900; counter < 1000; counter++) {
      assert.equal(find(counter, counter + 1, 1000), undefined)
    }
  })

  it('finds a pair of two codes that happen to be the same', () => {
    assert.equal(find(910_737, 910_738, 910_700), 910_738)
    assert.equal(find(910_737, 910_738, 910_738), undefined)
  })

  it('comes to an end at the highest counter', () => {
    assert.equal(find(highestCounter - 1, highestCounter, highestCounter - 3), highestCounter)
    assert.equal(find(highestCounter - 1, highestCounter, highestCounter), undefined)
  })
})
