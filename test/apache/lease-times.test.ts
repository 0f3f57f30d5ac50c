import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { apacheTimes } from '../../src/apache/leases/apache-time.ts'
import { leaseEnd } from '../../src/domain/lease.ts'

const at = (iso: string): number => Date.parse(iso) / 1000

describe('times on the clock of Apache', () => {
  const zone = process.env.TZ
  after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  const inBerlin = (utc: string, shown: string) => {
    process.env.TZ = 'Europe/Berlin'
    return apacheTimes(shown, at(utc))?.(at(utc) + 30)
  }

  it('are local, and of the same zone as ours', () => {
    assert.equal(inBerlin('2026-07-01T10:00:00Z', '20260701120000'), '20260701120030')
    assert.equal(inBerlin('2026-07-01T10:00:00Z', '20260701120002'), '20260701120030')
    assert.equal(inBerlin('2026-12-31T22:59:45Z', '20261231235945'), '20270101000015')
    for (const shown of [
      ...['20260701120003', '20260701115957', '20260701100000', '20260701130000', '20260701121500'],
      ...[
        '20260601120000',
        '20250701120000',
        '00000000000000',
        '20261301120000',
        '',
        'now',
        '99999999999999',
      ],
    ]) {
      assert.equal(inBerlin('2026-07-01T10:00:00Z', shown), undefined, shown)
    }
  })

  it('are not written in the two hours before the clock goes back, when a second would come twice', () => {
    // Back from 3 to 2 o'clock at 01:00 UTC on 25 October 2026.
    assert.equal(inBerlin('2026-10-24T22:59:59Z', '20261025005959'), '20261025010029')
    assert.equal(inBerlin('2026-10-24T23:00:00Z', '20261025010000'), undefined)
    assert.equal(inBerlin('2026-10-25T00:59:59Z', '20261025025959'), undefined)
    assert.equal(inBerlin('2026-10-25T01:00:00Z', '20261025020000'), '20261025020030')
    // Forward from 2 to 3 o'clock at 01:00 UTC on 29 March 2026.
    assert.equal(inBerlin('2026-03-29T00:59:50Z', '20260329015950'), '20260329030020')
  })

  it('never come twice within a lease, whenever it is made, in zones of every kind', () => {
    for (const zoneName of [
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Asia/Kathmandu',
      'UTC',
    ]) {
      process.env.TZ = zoneName
      for (let now = at('2026-01-01T00:00:00Z'); now < at('2027-01-01T00:00:00Z'); now += 900) {
        const write = apacheTimes(clockOf(now), now)
        if (write === undefined) continue
        const [from, until] = [write(now), write(now + 60)]
        assert.ok(from < until)
        for (let later = now + 60; later < now + 2 * 3600; later += 300) {
          const shown = clockOf(later)
          assert.ok(!(from <= shown && shown < until), `${zoneName} ${from} comes again at ${later}`)
        }
      }
    }
  })
})

describe('how long a decision may be repeated', () => {
  const rules = { idleTimeout: 3600, absoluteLifetime: 43_200, freshFor: 300 }
  const policy = { lease: 30, networks: [], assertion: false }
  const session = { authTime: 1000, lastSeenAt: 1000, expiresAt: 44_200 }
  const end = (
    changes: { policy?: object; session?: object; rules?: object } = {},
    now = 1000,
  ): number | undefined =>
    leaseEnd(
      { ...policy, ...changes.policy },
      { ...session, ...changes.session },
      { rules: { ...rules, ...changes.rules }, now },
    )

  it('is what the policy says, and no longer than anything else holds', () => {
    assert.equal(end(), 1030)
    assert.equal(end({ policy: { lease: 0 } }), undefined)
    assert.equal(end({ policy: { assertion: true } }), undefined)
    assert.equal(
      end({ policy: { networks: [{ family: 'ipv4', address: '10.0.0.0', prefix: 8 }] } }),
      undefined,
    )
    assert.equal(end({ policy: { within: 60 } }, 1050), 1060)
    assert.equal(end({ policy: { within: 60 } }, 1060), undefined)
    assert.equal(end({ session: { expiresAt: 1010 } }), 1010)
    assert.equal(end({ rules: { idleTimeout: 60 } }), 1030)
    assert.equal(end({ policy: { lease: 60 }, rules: { idleTimeout: 60 } }), 1030)
    assert.equal(end({ rules: { idleTimeout: 60 } }, 1040), 1060)
  })
})

/** The local time of an instant in the zone of the process. */
function clockOf(instant: number): string {
  const date = new Date(instant * 1000)
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
  return `${date.getFullYear()}${parts.map((part) => String(part).padStart(2, '0')).join('')}`
}
