import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isInNetwork, networksOf } from '../../src/domain/network.ts'

describe('an IPv4 address (SEC-RATE-2)', () => {
  it('is a network of its own within a site of 24 bits', () => {
    assert.deepEqual(networksOf('192.0.2.1'), { network: '192.0.2.1', site: '192.0.2.0/24' })
    assert.deepEqual(networksOf('255.255.255.255'), {
      network: '255.255.255.255',
      site: '255.255.255.0/24',
    })
    assert.notEqual(networksOf('192.0.2.1').network, networksOf('192.0.2.2').network)
    assert.equal(networksOf('192.0.2.1').site, networksOf('192.0.2.254').site)
    assert.notEqual(networksOf('192.0.2.1').site, networksOf('192.0.3.1').site)
  })

  it('is the same however it is written within IPv6', () => {
    for (const spelling of [
      '::ffff:192.0.2.1',
      '::FFFF:192.0.2.1',
      '::ffff:c000:201',
      '::FFFF:C000:0201',
      '0:0:0:0:0:ffff:192.0.2.1',
      '0000:0000:0000:0000:0000:ffff:c000:0201',
      '0::ffff:192.0.2.1',
      '::ffff:192.0.2.1%eth0',
    ]) {
      assert.deepEqual(networksOf(spelling), networksOf('192.0.2.1'), spelling)
    }
  })
})

describe('an IPv6 address (SEC-RATE-2)', () => {
  it('shares its first 64 bits with its network and 48 with its site', () => {
    assert.deepEqual(networksOf('2001:db8:1:2:3:4:5:6'), {
      network: '2001:db8:1:2::/64',
      site: '2001:db8:1::/48',
    })
    assert.deepEqual(networksOf('::1'), { network: '0:0:0:0::/64', site: '0:0:0::/48' })
    assert.deepEqual(networksOf('::'), { network: '0:0:0:0::/64', site: '0:0:0::/48' })
    assert.deepEqual(networksOf('fe80::1'), { network: 'fe80:0:0:0::/64', site: 'fe80:0:0::/48' })
  })

  it('is the same in upper case, with leading zeros, shortened anywhere and with a zone', () => {
    const expected = { network: '2001:db8:0:1::/64', site: '2001:db8:0::/48' }
    for (const spelling of [
      '2001:db8:0:1:0:0:0:5',
      '2001:DB8:0:1::5',
      '2001:db8::1:0:0:0:5',
      '2001:0db8:0000:0001:0000:0000:0000:0005',
      '2001:db8:0:1:0:0::5',
      '2001:db8:0:1::',
      '2001:db8:0:1::0.0.0.5',
      '2001:db8:0:1:0:0:0.0.0.5',
      '2001:db8:0:1::5%eth0',
      '2001:db8:0:1::5%25en1',
    ]) {
      assert.deepEqual(networksOf(spelling), expected, spelling)
    }
  })

  it('shares one network with 10,000 others of its 64 bits, and none with the next 64', () => {
    const networks = new Set<string>()
    for (let i = 0; i < 10_000; i++) {
      const [third, fourth] = [i, (i * 7919) % 65_536].map((group) => group.toString(16))
      networks.add(networksOf(`2001:db8:1:2:${third}:${fourth}:9:1`).network)
    }
    assert.deepEqual([...networks], ['2001:db8:1:2::/64'])
    assert.notEqual(networksOf('2001:db8:1:3::1').network, networksOf('2001:db8:1:2::1').network)
    assert.equal(networksOf('2001:db8:1:3::1').site, networksOf('2001:db8:1:2::1').site)
    assert.notEqual(networksOf('2001:db8:2:2::1').site, networksOf('2001:db8:1:2::1').site)
  })

  it('has one network in every spelling of any address', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.nat(7),
        fc.nat(7),
        (groups, from, to) => {
          fc.pre(groups.slice(0, 5).some((value) => value !== 0) || groups[5] !== 0xffff)
          const hex = groups.map((value) => value.toString(16))
          const full = hex.map((text) => text.padStart(4, '0')).join(':')
          const expected = {
            network: `${hex.slice(0, 4).join(':')}::/64`,
            site: `${hex.slice(0, 3).join(':')}::/48`,
          }
          const spellings = [hex.join(':'), full, full.toUpperCase(), `${full}%eth0`]
          if (from <= to && groups.slice(from, to + 1).every((value) => value === 0)) {
            spellings.push(`${hex.slice(0, from).join(':')}::${hex.slice(to + 1).join(':')}`)
          }
          const [high = 0, low = 0] = groups.slice(6)
          const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.')
          spellings.push(`${hex.slice(0, 6).join(':')}:${dotted}`)
          for (const spelling of spellings) assert.deepEqual(networksOf(spelling), expected, spelling)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('any other text', () => {
  it('is a network of its own and never that of an address', () => {
    const texts = [
      'local',
      '',
      'unix:/run/a',
      'unix:/run/b',
      'a:b',
      'g::1',
      ':',
      '1:2:3',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
    ]
    for (const text of texts) assert.deepEqual(networksOf(text), { network: text, site: text }, text)
  })
})

describe('a network of a policy', () => {
  const address = fc.oneof(
    fc.ipV4().map((text) => ({ family: 'ipv4', text }) as const),
    fc.ipV6().map((text) => ({ family: 'ipv6', text }) as const),
  )

  it('holds the addresses that Node says it holds', () => {
    fc.assert(
      fc.property(address, fc.nat(32), fc.nat(128), address, (block, short, long, other) => {
        const prefix = block.family === 'ipv4' ? short : long
        const list = new BlockList()
        list.addSubnet(block.text, prefix, block.family)
        for (const each of [block, other]) {
          // IPv4 within IPv6 is IPv4 to us; the settings refuse networks that would hold both.
          if (/^::ffff:/i.test(each.text) || each.family !== block.family) continue
          const network = { family: block.family, address: block.text, prefix }
          assert.equal(
            isInNetwork(each.text, network),
            list.check(each.text, each.family),
            `${each.text} ${block.text}/${prefix}`,
          )
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('holds nothing that is no address', () => {
    const everything = { family: 'ipv4', address: '0.0.0.0', prefix: 0 } as const
    for (const text of [
      '',
      'local',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '1.2.3.-4',
      ' 1.2.3.4',
      '1:2',
      'x'.repeat(32),
    ]) {
      assert.equal(isInNetwork(text, everything), false, text)
    }
  })
})
