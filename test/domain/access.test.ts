import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AccessFacts,
  type AccessPolicy,
  builtInPolicies,
  decideAccess,
  findPolicy,
  isBuiltInPolicy,
  toldGroups,
} from '../../src/domain/access.ts'
import { CLOCK_SKEW } from '../../src/domain/time.ts'

const NOW = 1_800_000_000

const open: AccessPolicy = {
  name: 'wiki',
  groups: [],
  users: [],
  proof: 'password',
  networks: [],
  access: ['session'],
  assertion: false,
  lease: 0,
}

const session = (more: object = {}): NonNullable<AccessFacts['who']> => ({
  by: 'session',
  username: 'Ada',
  groups: ['staff'],
  amr: ['pwd', 'otp'],
  authTime: NOW,
  ...more,
})
const program = { by: 'app-password', username: 'Ada', groups: ['staff'] } as const

const decide = (policy: Partial<AccessPolicy>, who: AccessFacts['who'], address = '192.0.2.7') => {
  const { kind, why } = decideAccess({ ...open, ...policy }, { who, address, now: NOW })
  return `${kind}: ${why}`
}
const ALLOW = 'allow: all-conditions-hold'

describe('policies by name', () => {
  const own = new Map([['wiki', open]])

  it('are built in, of the settings, or one for each group; and none else (SEC-FCGI-4)', () => {
    assert.deepEqual(
      builtInPolicies.map(({ name }) => name),
      ['password', 'two-factor', 'two-factor-recent'],
    )
    for (const { name } of builtInPolicies) assert.equal(findPolicy(name, own)?.name, name)
    assert.equal(findPolicy('wiki', own), open)
    assert.deepEqual(findPolicy('group-staff', own)?.groups, ['staff'])
    assert.equal(findPolicy('group-staff', own)?.proof, 'two-factor')
    for (const name of [
      ...[
        '',
        ' ',
        'none',
        'Wiki',
        'WIKI',
        'two-factor ',
        'two-factor\n',
        'group-',
        'group-Staff',
        'group-a b',
      ],
      ...['group-../x', '__proto__', 'constructor', 'toString', `group-${'a'.repeat(59)}`, 'group-a,b'],
    ]) {
      assert.equal(findPolicy(name, own), undefined, JSON.stringify(name))
    }
  })

  it('that are built in cannot be replaced', () => {
    assert.equal(findPolicy('two-factor', new Map([['two-factor', open]]))?.proof, 'two-factor')
    assert.deepEqual(['password', 'group-x', 'wiki'].map(isBuiltInPolicy), [true, true, false])
  })
})

describe('who may enter', () => {
  it('is nobody without a name, wherever they are', () => {
    assert.equal(decide({}, undefined), 'sign-in: nobody')
    const networks = [{ family: 'ipv4', address: '192.0.2.0', prefix: 24 }] as const
    assert.equal(decide({ networks }, undefined), 'sign-in: nobody')
  })

  it('proves two factors where they are asked for', () => {
    const proof = 'two-factor'
    assert.equal(decide({ proof }, session()), ALLOW)
    assert.equal(decide({ proof }, session({ amr: ['pwd', 'recovery'] })), ALLOW)
    assert.equal(decide({ proof }, session({ amr: ['pwd'] })), 'step-up: one-factor')
    assert.equal(decide({ proof }, session({ amr: ['otp'] })), 'step-up: one-factor')
    assert.equal(decide({}, session({ amr: ['pwd'] })), ALLOW)
  })

  it('proved it recently enough, to the second, and not in the future (FT-CLOCK-1)', () => {
    const within = 600
    assert.equal(decide({ within }, session({ authTime: NOW - 599 })), ALLOW)
    assert.equal(decide({ within }, session({ authTime: NOW - 600 })), 'step-up: proof-too-old')
    assert.equal(decide({ within }, session({ authTime: NOW + CLOCK_SKEW })), ALLOW)
    assert.equal(decide({ within }, session({ authTime: NOW + CLOCK_SKEW + 1 })), 'step-up: proof-too-old')
  })

  it('is in one of the groups, or is one of the users by any spelling of the name', () => {
    assert.equal(decide({ groups: ['staff', 'other'] }, session()), ALLOW)
    assert.equal(decide({ groups: ['Staff', 'sta'] }, session()), 'forbidden: not-listed')
    assert.equal(decide({ users: ['ada'] }, session()), ALLOW)
    assert.equal(decide({ users: ['ada2'] }, session()), 'forbidden: not-listed')
    assert.equal(decide({ users: ['bob'], groups: ['staff'] }, session()), ALLOW)
    assert.equal(decide({ users: ['bob'], access: ['app-password'] }, program), 'forbidden: not-listed')
  })

  it('is in no more groups than an application can be told, of those that the policy names where it names some', () => {
    // Of 64 characters with their quotes and comma: 30 of them, two brackets and the rest make 2,048.
    const groups = (last: number) => [
      ...Array.from({ length: 30 }, (_, at) => `${at}`.padEnd(64, 'x')),
      'y'.repeat(last),
    ]
    const fitting = groups(2048 - 30 * 67 - 1 - 2 - 1)
    assert.equal(JSON.stringify(fitting).length, 2048)
    assert.equal(decide({}, session({ groups: fitting })), ALLOW)
    const many = [...fitting, 'staff']
    assert.equal(decide({}, session({ groups: many })), 'forbidden: too-many-groups')
    assert.equal(decide({ users: ['ada'] }, session({ groups: many })), 'forbidden: too-many-groups')
    const told = { groups: ['staff', 'other'] }
    assert.equal(decide(told, session({ groups: many })), ALLOW)
    assert.deepEqual(toldGroups(told, many), ['staff'])
    assert.deepEqual(toldGroups({ groups: [] }, many), many)
  })

  it('is not asked for a better proof where it would not help', () => {
    const many = session({ amr: ['pwd'], groups: Array.from({ length: 300 }, (_, at) => `group-${at}`) })
    assert.equal(decide({ proof: 'two-factor' }, many), 'forbidden: too-many-groups')
    const elsewhere = { groups: ['other'], proof: 'two-factor' } as const
    assert.equal(decide(elsewhere, session({ amr: ['pwd'] })), 'forbidden: not-listed')
  })

  it('comes from one of the networks, where there are some', () => {
    const networks = [
      { family: 'ipv4', address: '10.1.0.0', prefix: 16 },
      { family: 'ipv6', address: '2001:db8::', prefix: 33 },
    ] as const
    for (const address of ['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', '2001:db8:7fff::1', '2001:DB8::']) {
      assert.equal(decide({ networks }, session(), address), ALLOW, address)
    }
    for (const address of [
      '10.2.0.0',
      '10.0.255.255',
      '2001:db8:8000::',
      '::1',
      '',
      'local',
      '10.1',
      '10.1.0.256',
      '::',
    ]) {
      assert.equal(decide({ networks }, session(), address), 'forbidden: address-outside', address)
    }
  })

  it('comes by a password and code in one field as by two factors, for as long as a proof is taken', () => {
    const codes = { access: ['password-code'] } as const
    const coder = (authTime: number) => ({ ...program, by: 'password-code', authTime }) as const
    assert.equal(decide({ ...codes, proof: 'two-factor' }, coder(NOW - 86_400)), ALLOW)
    assert.equal(decide({ ...codes, within: 60 }, coder(NOW - 59)), ALLOW)
    assert.equal(decide({ ...codes, within: 60 }, coder(NOW - 60)), 'sign-in: proof-too-old')
    assert.equal(decide({ ...codes, within: 60 }, coder(NOW + CLOCK_SKEW + 1)), 'sign-in: proof-too-old')
    assert.equal(decide({ ...codes, groups: ['other'] }, coder(NOW)), 'forbidden: not-listed')
    for (const { access } of builtInPolicies) {
      assert.equal(decide({ access }, coder(NOW)), 'sign-in: not-by-this-means')
    }
    assert.equal(findPolicy('group-staff', new Map())?.access.includes('password-code'), false)
  })

  it('comes by a means that the policy takes', () => {
    assert.equal(decide({}, program), 'sign-in: not-by-this-means')
    assert.equal(decide({ access: ['app-password'] }, session()), 'forbidden: not-by-this-means')
    assert.equal(
      decide({ access: ['session', 'app-password'], proof: 'two-factor', within: 60 }, program),
      ALLOW,
    )
  })
})
