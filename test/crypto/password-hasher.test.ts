import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { describe, it } from 'node:test'
import { createPasswordHasher, type HashTurn, type PasswordHasher } from '../../src/crypto/password-hasher.ts'
import { HashQueueTimeout } from '../../src/domain/faults.ts'
import {
  type HashParameters,
  hashParametersOf,
  type PasswordHash,
} from '../../src/domain/password/hash-parameters.ts'

const cheap: HashParameters = { memoryKib: 64, passes: 1, parallelism: 1 }
/** Some tenths of a second, which is far beyond the least deadline. */
const dear: HashParameters = { memoryKib: 1 << 16, passes: 8, parallelism: 1 }

function newHasher(options: Partial<Parameters<typeof createPasswordHasher>[0]> = {}): PasswordHasher {
  return createPasswordHasher({ parameters: cheap, threads: 1, queue: 100, deadline: 60, ...options })
}

function enter(hasher: PasswordHasher): HashTurn {
  return hasher.enter() ?? assert.fail('there was no place')
}

/** How many pieces of work the thread pool was given meanwhile; the binding names none of its own. */
async function countHashes(work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const hook = createHook({
    init: (_, type) => {
      if (type === 'undefined') count++
    },
  }).enable()
  try {
    await work()
  } finally {
    hook.disable()
  }
  return count
}

describe('the queue for hashing (SEC-PW-16)', () => {
  it('hands two for each thread over and lets the rest wait', async () => {
    for (const threads of [1, 2, 3]) {
      const hasher = newHasher({ threads })
      const turn = enter(hasher)
      const hashes: Promise<PasswordHash>[] = []
      for (let i = 1; i <= 2 * threads + 5; i++) {
        hashes.push(turn.hash('password'))
        const running = Math.min(i, 2 * threads)
        assert.deepEqual(hasher.load(), { running, waiting: i - running })
      }
      await Promise.all(hashes)
      assert.deepEqual(hasher.load(), { running: 0, waiting: 0 })
    }
  })

  it('never runs more than that, and never lets a thread idle while somebody waits', async () => {
    const hasher = newHasher({ threads: 2 })
    const turn = enter(hasher)
    let left = 50
    const hashes = Array.from({ length: left }, async () => {
      await turn.hash('password')
      left--
      const { running, waiting } = hasher.load()
      assert.ok(running <= 4, `${running} run`)
      assert.ok(running === 4 || waiting === 0, `${running} run, ${waiting} wait`)
    })
    await Promise.all(hashes)
    assert.equal(left, 0)
  })

  it('serves first who came first', async () => {
    const turn = enter(newHasher())
    const finished: number[] = []
    const jobs = Array.from({ length: 60 }, async (_, number) => {
      await turn.hash('password')
      finished.push(number)
    })
    await Promise.all(jobs)
    // Two are handed over at a time: of those before the n-th, all but one have ended when it begins.
    for (let number = 1; number < 60; number++) {
      assert.ok(finished.indexOf(number) >= number - 1, `${number} overtook others: ${finished}`)
    }
  })

  it('goes on after a hash that failed', async () => {
    const hasher = newHasher()
    const turn = enter(hasher)
    const salt = 'A'.repeat(22)
    const absurd = `$argon2id$v=19$m=1,t=1,p=16$${salt}$${'B'.repeat(43)}` as PasswordHash
    const outcomes = Array.from({ length: 6 }, () => turn.verify(absurd, 'x').catch(() => false))
    assert.deepEqual(await Promise.all(outcomes), Array(6).fill(false))
    assert.deepEqual(hasher.load(), { running: 0, waiting: 0 })
    assert.ok(await turn.hash('password'))
  })

  it('has places for those at work and the queue, and not one more', () => {
    for (const [threads, queue] of [
      [1, 0],
      [1, 3],
      [2, 5],
    ] as const) {
      const hasher = newHasher({ threads, queue })
      for (let i = 0; i < 2 * threads + queue; i++) assert.ok(hasher.enter(), `place ${i}`)
      assert.equal(hasher.enter(), undefined)
      assert.equal(hasher.enter(), undefined)
    }
  })

  it('has a place again when one is given back, and only one when it is given back twice', () => {
    const hasher = newHasher({ queue: 1 })
    const [first] = [enter(hasher), enter(hasher), enter(hasher)]
    assert.equal(hasher.enter(), undefined)
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    const again = enter(hasher)
    assert.equal(hasher.enter(), undefined)
    first[Symbol.dispose]()
    assert.equal(hasher.enter(), undefined)
    again[Symbol.dispose]()
    assert.ok(hasher.enter())
  })

  it('has a place again when an action that held one throws', () => {
    const hasher = newHasher({ queue: 0 })
    for (let i = 0; i < 10; i++) {
      assert.throws(() => {
        using _turn = enter(hasher)
        throw new Error('the action failed')
      }, /the action failed/)
    }
    assert.ok(hasher.enter())
  })

  it('turns away who waits beyond the deadline, and serves those who come after', async () => {
    const hasher = newHasher({ parameters: dear, deadline: 0 })
    const turn = enter(hasher)
    const atWork = [turn.hash('one'), turn.hash('two')]
    const waiting = await Promise.allSettled([turn.hash('three'), turn.verify(undefined, 'four')])
    for (const outcome of waiting) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof HashQueueTimeout)
    }
    assert.equal(hasher.load().waiting, 0)
    assert.equal(hashParametersOf((await Promise.all(atWork))[0] ?? '')?.passes, dear.passes)
    assert.deepEqual(hasher.load(), { running: 0, waiting: 0 })
    assert.ok(await turn.hash('five'))
  })
})

describe('verifying a password', () => {
  it('costs for nobody what it costs for somebody, one hash, and is false (SEC-AUTH-6)', async () => {
    const turn = enter(newHasher())
    const stored = await turn.hash('correct horse')
    // The first of all makes what nobody is compared with.
    assert.equal(await turn.verify(stored, 'correct horse'), true)
    for (const password of ['correct horse', 'wrong', '', 'undefined']) {
      assert.equal(await countHashes(() => turn.verify(stored, password)), 1)
      assert.equal(
        await countHashes(async () => assert.equal(await turn.verify(undefined, password), false)),
        1,
      )
    }
  })

  it('costs the same for the first caller of all, whoever they are (SEC-AUTH-6)', async () => {
    const stored = await enter(newHasher()).hash('correct horse')
    const costs = [stored, undefined].map((hash) => {
      const turn = enter(newHasher())
      return () => countHashes(() => turn.verify(hash, 'correct horse'))
    })
    for (const cost of costs) assert.equal(await cost(), 2)
  })

  it('is false for anything stored that it cannot read or that is cut, at the cost of one hash', async () => {
    const turn = enter(newHasher())
    await turn.verify(undefined, '')
    const stored = await turn.hash('secret')
    for (const other of [
      '',
      'secret',
      '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31l',
      stored.replace('argon2id', 'argon2i'),
      stored.replace('argon2id', 'argon2d'),
      stored.replace('v=19', 'v=16'),
      `${stored}\n`,
    ]) {
      const cost = countHashes(async () =>
        assert.equal(await turn.verify(other as PasswordHash, 'secret'), false, other),
      )
      assert.equal(await cost, 1, other)
    }
  })

  it('does not compute a stored hash that asks for more than the bounds', async () => {
    const turn = enter(newHasher())
    const tail = `$${'A'.repeat(22)}$${'B'.repeat(43)}`
    for (const cost of [
      'm=4294967295,t=1,p=1',
      'm=9999999999,t=1,p=1',
      'm=64,t=4294967295,p=1',
      'm=1048576,t=4294967295,p=1',
      'm=4294967295,t=4294967295,p=255',
    ]) {
      assert.equal(await turn.verify(`$argon2id$v=19$${cost}${tail}` as PasswordHash, 'secret'), false, cost)
    }
  })

  it('goes up to the bounds on passes and lanes, and one beyond is false even with the right password', async () => {
    const turn = enter(newHasher())
    const made = (passes: number, parallelism: number) =>
      enter(newHasher({ parameters: { memoryKib: 256, passes, parallelism } })).hash('secret')
    assert.equal(await turn.verify(await made(10, 16), 'secret'), true)
    assert.equal(await turn.verify(await made(11, 1), 'secret'), false)
    assert.equal(await turn.verify(await made(1, 17), 'secret'), false)
  })

  it('works for hashes made with other parameters than today (SEC-PW-11)', async () => {
    const old = await enter(newHasher({ parameters: { memoryKib: 128, passes: 3, parallelism: 2 } })).hash(
      'secret',
    )
    const turn = enter(newHasher())
    assert.equal(await turn.verify(old, 'secret'), true)
    assert.equal(await turn.verify(old, 'Secret'), false)
  })
})

describe('the spelling of a password (SEC-PW-4)', () => {
  const spellings = [
    'Zürich im Schnee',
    'crème brûlée',
    'Ångström',
    '한국어 비밀번호',
    'ệ ộ ử ḯ ǭ',
    'Καλημέρα κόσμε',
  ]

  it('may be composed or decomposed, one verifies for the other', async () => {
    const turn = enter(newHasher())
    for (const text of spellings) {
      const [nfc, nfd] = [text.normalize('NFC'), text.normalize('NFD')]
      assert.notEqual(nfc, nfd)
      for (const set of [nfc, nfd]) {
        const stored = await turn.hash(set)
        for (const typed of [nfc, nfd]) assert.equal(await turn.verify(stored, typed), true, text)
      }
    }
  })

  it('is not changed in any other way', async () => {
    const turn = enter(newHasher())
    const pairs = [
      ['ﬁne weather', 'fine weather'],
      ['Ａpple pie', 'Apple pie'],
      ['password①', 'password1'],
      ['x² + y²', 'x2 + y2'],
      ['Straße', 'Strasse'],
      ['Apple pie', 'apple pie'],
      [' apple pie', 'apple pie'],
      ['apple pie ', 'apple pie'],
      ['apple  pie', 'apple pie'],
      ['apple\u00a0pie', 'apple pie'],
      ['apple\u200bpie', 'applepie'],
      ['apple\0pie', 'apple'],
      ['apple\0pie', 'apple\0tart'],
      ['pаssword', 'password'],
    ] as const
    for (const [one, other] of pairs) {
      assert.equal(await turn.verify(await turn.hash(one), other), false, JSON.stringify(one))
      assert.equal(await turn.verify(await turn.hash(other), one), false, JSON.stringify(other))
    }
  })

  it('counts at every position, up to the longest (SEC-PW-2)', async () => {
    const turn = enter(newHasher())
    for (const character of ['a', 'é', '😀']) {
      const typed = Array<string>(256).fill(character)
      const stored = await turn.hash(typed.join(''))
      assert.equal(await turn.verify(stored, typed.join('')), true)
      for (const at of [0, 55, 56, 64, 65, 71, 72, 73, 127, 128, 254, 255]) {
        assert.equal(await turn.verify(stored, typed.with(at, 'b').join('')), false, `${character} at ${at}`)
      }
      assert.equal(await turn.verify(stored, typed.slice(1).join('')), false)
    }
  })
})

describe('a stored hash (SEC-PW-11)', () => {
  it('tells the parameters that were asked for, with 16 bytes of salt and 32 of hash', async () => {
    for (const parameters of [
      cheap,
      { memoryKib: 19_456, passes: 2, parallelism: 1 },
      { memoryKib: 1024, passes: 3, parallelism: 4 },
    ]) {
      const hasher = newHasher({ parameters })
      const stored = await enter(hasher).hash('secret')
      assert.deepEqual(hasher.parameters, parameters)
      assert.deepEqual(hashParametersOf(stored), parameters)
      assert.match(stored, /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    }
  })

  it('has a salt of its own each time', async () => {
    const turn = enter(newHasher())
    const hashes = await Promise.all(Array.from({ length: 1000 }, () => turn.hash('secret')))
    assert.equal(new Set(hashes.map((stored) => stored.split('$')[4])).size, 1000)
    assert.equal(new Set(hashes.map((stored) => stored.split('$')[5])).size, 1000)
  })
})
