import { setTimeout as delay } from 'node:timers/promises'
import { type Random, seededRandom } from '../random.ts'
import { chooseDeed } from './choose.ts'
import type { Performed } from './perform.ts'
import type { Person } from './person.ts'
import { count, type Findings, noFindings } from './settle.ts'
import type { Town } from './town.ts'

/** A load that goes on until it is told to stop, or until its server is gone. */
export interface Load {
  /** Resolves once so many more deeds were answered, or the load has ended. */
  answered(many: number): Promise<void>
  /** Lets what is under way end; resolves with what was found. */
  stop(): Promise<Findings>
  /** How long the slowest deed so far waited for its answer, in milliseconds. */
  slowest(): number
  /** Whoever did something, or tried to. */
  readonly touched: ReadonlySet<Person>
}

export interface LoadOptions {
  readonly random: Random
  /** Whether it goes on after connections broke: where another node, or the same one, will answer. */
  readonly goesOn?: boolean
  /** How many people do something at once. */
  readonly lanes: number
}

/** Lets people of the town do one thing after another: sign in, enrol, recover, revoke, administer. */
export function mixedLoad(town: Town, { random, lanes, goesOn = false }: LoadOptions): Load {
  const found = noFindings()
  const touched = new Set<Person>()
  const waiting: { many: number; tell: () => void }[] = []
  let isStopped = false
  let answers = 0
  let slowest = 0
  const tell = () => {
    for (const each of waiting.filter(({ many }) => many <= answers)) each.tell()
  }

  const lane = async (own: Random) => {
    while (!isStopped) {
      const person = idle(town, own)
      if (person === undefined) return
      person.isBusy = true
      touched.add(person)
      let isNodeGone = false
      let isHurt = false
      let began = performance.now()
      for await (const { deed, outcome } of chooseDeed(town, person, own)) {
        slowest = Math.max(slowest, performance.now() - began)
        began = performance.now()
        tallied(found, deed, outcome, person)
        if (outcome.kind === 'done' || outcome.kind === 'refused') answers += 1
        tell()
        isNodeGone = outcome.kind === 'unsent' || (outcome.kind === 'in doubt' && outcome.why === 'lost')
        isHurt = outcome.kind === 'unsent' || outcome.kind === 'in doubt'
        if (outcome.kind !== 'done' || isStopped) break
      }
      person.isBusy = false
      if (isNodeGone && !goesOn) return
      // Whoever meets a fault comes back after a while, or all would be in doubt within a moment.
      if (isHurt) await delay(150)
    }
  }
  const all = Promise.all(
    Array.from({ length: lanes }, () => lane(seededRandom(random.bytes(8).toString('hex')))),
  ).then(() => {
    for (const each of waiting) each.tell()
  })
  return {
    touched,
    slowest: () => slowest,
    answered: (many) =>
      Promise.race([
        all,
        new Promise<void>((resolve) => {
          waiting.push({ many: answers + many, tell: resolve })
          tell()
        }),
      ]),
    async stop() {
      isStopped = true
      await all
      return found
    },
  }
}

/** Somebody with nothing under way and nothing in doubt. */
function idle(town: Town, random: Random): Person | undefined {
  const now = Date.now()
  for (let tried = 0; tried < 50; tried++) {
    const person = random.pick(town.people)
    if (!person.isBusy && person.perhaps === undefined && person.restsUntil <= now) return person
  }
  return undefined
}

/** Nobody does here what is not allowed to them, so a refusal is a fault unless they were told to wait. */
function tallied(
  { counts, violations }: Findings,
  deed: string,
  outcome: Performed,
  { username }: Person,
): void {
  switch (outcome.kind) {
    case 'done':
      count(counts, 'acknowledged')
      count(counts, deed)
      return
    case 'refused':
      if (outcome.status === 429 || outcome.code === 'busy') count(counts, 'sent to wait')
      else violations.push(`${username}: ${deed} was refused: ${outcome.status} ${outcome.code}.`)
      return
    case 'in doubt':
      count(counts, outcome.why === 'lost' ? 'answers lost' : 'answered with a fault')
      return
    case 'unsent':
      return
  }
}
