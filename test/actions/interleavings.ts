import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Engine, type Stage, stageFor } from './engines.ts'
import { isDone, type OperationName, operations } from './operations.ts'
import { makePerson, type Person, stateOf } from './person.ts'
import { interleave } from './steps.ts'

/** Those that sign in or change an account, and the twin that does the same from elsewhere. */
const ofEnrolled = new Map<OperationName, OperationName>([
  ['password step', 'password step'],
  ['all three at once', 'all three at once, telling nothing'],
  ['all three at once, telling nothing', 'code of one login'],
  ['code of one login', 'same code of another login'],
  ['recovery code', 'same recovery code'],
  ['begin enrolment from a session', 'begin enrolment from a session'],
  ['confirm enrolment', 'confirm enrolment elsewhere'],
  ['remove the phone', 'remove the token'],
  ['change the password', 'change the password to another'],
  ['make recovery codes', 'make recovery codes'],
  ['accept an invitation', 'accept an invitation'],
  ['operator: invite', 'operator: invite'],
  ['end the other sessions', 'sign out'],
  ['sign out', 'end the other sessions'],
  ['operator: disable', 'operator: disable'],
  ['operator: delete', 'operator: delete'],
  ['operator: unlock', 'operator: unlock'],
  ['operator: set a password', 'operator: set a password'],
  ['operator: reset the second factor', 'operator: reset the second factor'],
  ['operator: add a token', 'operator: add a token'],
])

const ofNewcomers = new Map<OperationName, OperationName>([
  ['password step', 'password step'],
  ['first code of the pending device', 'first code, all three at once'],
  ['first code, all three at once', 'first code, all three at once'],
  ['begin enrolment from a login', 'begin enrolment from a login'],
  ['confirm enrolment', 'confirm enrolment elsewhere'],
  ['operator: disable', 'operator: disable'],
  ['operator: delete', 'operator: delete'],
])

const ofGroups = new Map<OperationName, OperationName>([
  ['operator: add to a group', 'operator: add to a group'],
  ['operator: delete the group', 'operator: delete the group'],
  ['operator: delete', 'purge what has ended'],
])

/** Each run of the others looks at one of so many parts of the stops. */
const partsOf = { 'every-call': 4, 'between-transactions': 2 } as const

/** Those that spend a one-time code are stopped at every call with every other operation; the rest only with SOAK=1. */
const wholly: ReadonlySet<OperationName> = new Set([
  'all three at once, telling nothing',
  'code of one login',
  'recovery code',
])

/**
 * Stops each operation before each of its calls of the database, lets each other one run meanwhile, and compares how
 * it ends with how it ends in either order (FT-RACE-4, FT-RACE-5).
 */
export function interleavingsOn(engine: Engine): void {
  describe(`two operations on one account, one stopped while the other runs, on ${engine.name}`, () => {
    const stage = stageFor(engine)
    for (const first of ofEnrolled.keys()) {
      it(`"${first}" and any other end as if one came after the other (FT-RACE-4, FT-RACE-5)`, () =>
        everyPair(stage(), 'enrolled', first, ofEnrolled))
    }
    for (const first of ofGroups.keys()) {
      it(`"${first}" and what is done to groups end as if one came after the other`, () =>
        everyPair(stage(), 'enrolled', first, ofGroups))
    }
  })
  describe(`a first device where none is demanded, one stopped while the other runs, on ${engine.name}`, () => {
    const stage = stageFor(engine, { config: { login: { enrolment: 'optional' } } })
    for (const first of ofNewcomers.keys()) {
      it(`"${first}" and any other end as if one came after the other (SEC-SES-9)`, () =>
        everyPair(stage(), 'newcomer', first, ofNewcomers))
    }
    it('the last two devices and what else is done to them end as if one came after the other', async () => {
      for (const first of ['remove the phone', 'remove the token'] as const) {
        await everyPair(stage(), 'enrolled', first, ofEnrolled)
      }
    })
  })
}

async function everyPair(
  stage: Stage,
  kind: 'enrolled' | 'newcomer',
  first: OperationName,
  operationsAndTwins: ReadonlyMap<OperationName, OperationName>,
): Promise<void> {
  const faults: string[] = []
  const others = [...operationsAndTwins.keys()].filter((name) => name !== first)
  for (const second of [...others, operationsAndTwins.get(first) ?? first]) {
    const fault = await faultOf(stage, kind, first, second)
    if (fault !== undefined) faults.push(fault)
  }
  assert.equal(faults.join('\n'), '')
}

/** The first interleaving of the two that is not as any order of them, in words. */
async function faultOf(
  stage: Stage,
  kind: 'enrolled' | 'newcomer',
  first: OperationName,
  second: OperationName,
): Promise<string | undefined> {
  const allowed = await serialEnds(stage, kind, [first, second])
  const step = wholly.has(first) || process.env.SOAK !== undefined ? 1 : partsOf[stage.stops]
  // Another part of the stops with each other operation, so that together they are all seen.
  for (let pauseAt = second.length % step; ; pauseAt += step) {
    const end = await stoppedAt(stage, kind, { first, second, pauseAt })
    if (end === undefined) return undefined
    if (!allowed.has(end)) {
      const others = [...allowed].join('\n  ')
      return `"${first}", stopped before call ${pauseAt}, and "${second}" ended in\n  ${end}\nwhich is none of\n  ${others}`
    }
  }
}

/** How both orders end, and each alone: an operation may also be refused because of the other, if it then did nothing. */
async function serialEnds(
  { services }: Stage,
  kind: 'enrolled' | 'newcomer',
  [first, second]: readonly [OperationName, OperationName],
): Promise<ReadonlySet<string>> {
  const ends = new Set<string>()
  for (const order of [[0, 1], [1, 0], [0], [1]]) {
    const person = await makePerson(services, kind)
    const done = [false, false]
    for (const index of order) {
      done[index] = isDone(await operations[index === 0 ? first : second](services, person))
    }
    ends.add(await endOf(services, person, done))
  }
  return ends
}

async function stoppedAt(
  { services, isWaiting, stops }: Stage,
  kind: 'enrolled' | 'newcomer',
  { first, second, pauseAt }: { first: OperationName; second: OperationName; pauseAt: number },
): Promise<string | undefined> {
  const person = await makePerson(services, kind)
  const results = await interleave(pauseAt, {
    first: () => operations[first](services, person),
    second: () => operations[second](services, person),
    isWaiting,
    stops,
  })
  const done = results?.map((result) => {
    return result.status === 'fulfilled' ? isDone(result.value) : String(result.reason)
  })
  return done && endOf(services, person, done)
}

const endOf = async (services: Stage['services'], person: Person, done: readonly (boolean | string)[]) =>
  `${done.map((each) => (each === true ? 'done' : each || 'refused')).join(', ')}: ${await stateOf(services, person)}`
