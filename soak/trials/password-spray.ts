import { join } from 'node:path'
import { newToken } from '../../src/crypto/random.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import * as knownBrowsers from '../../src/store/known-browsers.ts'
import { makePerson, OLD_PASSWORD, type Person } from '../../test/actions/person.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { kindsOf } from '../support/race-book.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'
import { type Hit, jsonRequest, type Lanes, openLanes, type Shot } from '../support/volley.ts'

const NAMES = 10_000
const PASSWORDS = 20
/** Of one volley; more than a minute's budget of the server. */
const ATTEMPTS = 1500
const AT_ONCE = 100
const OWNERS = 10

/** Common passwords are tried on many names from many addresses. */
export const passwordSpray: Trial = {
  id: 'FT-BRUTE-1',
  name: 'password-spray',
  holds: `${PASSWORDS} passwords tried on ${NAMES} names from a thousand addresses get the looks that the budgets have, and whoever comes with a browser that is known gets in (I4).`,
  rounds: `volleys of ${ATTEMPTS} attempts`,
  sizes: {
    ci: 4,
    soak: Math.ceil((NAMES * PASSWORDS) / ATTEMPTS),
    release: 4 * Math.ceil((NAMES * PASSWORDS) / ATTEMPTS),
  },
  needs: ['passwords compared', 'attempts turned away', 'compared for one /64', 'owners who got in'],
  patience: 150,
  async begin({ folder }) {
    const clock = fakeClock(folder)
    const nodes = await startNodes({
      folder: join(folder, 'node'),
      processes: 1,
      now: clock.now,
      env: { ...clock.env, WATCHWORD_PASSWORD_HASH_QUEUE: '1024', WATCHWORD_PASSWORD_HASH_DEADLINE: '60' },
    })
    const lanes = await openLanes(nodes, { count: AT_ONCE })
    const owners: Owner[] = []
    for (let count = 0; count < OWNERS; count++) owners.push(await ownerOf(nodes))
    const scene: Scene = { nodes, lanes, clock, owners, began: clock.now() }
    let of64 = 0
    return {
      async round(number, random) {
        const round = await spray(scene, number, random)
        of64 += round.counts['compared for one /64'] ?? 0
        const { networkLimit, networkWindow } = nodes.config.throttle
        const windows = Math.floor((clock.now() - scene.began) / networkWindow) + 1
        const isOver = of64 > networkLimit * windows
        clock.set(clock.ahead + 61 + random.below(300))
        return isOver
          ? {
              ...round,
              violations: [...round.violations, `One /64 got ${of64} looks in ${windows} windows.`],
            }
          : round
      },
      async end() {
        lanes.close()
        await nodes.close()
        return undefined
      },
    }
  },
}

interface Scene {
  readonly nodes: Nodes
  readonly lanes: Lanes
  readonly clock: FakeClock
  readonly owners: readonly Owner[]
  readonly began: number
}

/** Somebody who is among the names, with a browser that they signed in with before. */
interface Owner {
  readonly person: Person
  readonly browserToken: Token
}

async function ownerOf({ beside }: Nodes): Promise<Owner> {
  const person = await makePerson(beside, 'enrolled')
  const browserToken = newToken()
  const now = beside.now()
  const browser = { tokenHash: hashToken(browserToken), userId: person.id }
  await knownBrowsers.put(beside.db, browser, { now, expiresAt: now + 180 * 86_400 })
  return { person, browserToken }
}

interface Attempt {
  readonly shot: Shot
  readonly isOf64: boolean
}

async function spray(scene: Scene, number: number, random: Random): Promise<Round> {
  const { nodes, lanes, clock, owners } = scene
  const { serverLimit, serverWindow } = nodes.config.throttle
  const before = await nodes.computed()
  const beganAt = clock.now()
  const attempts = Array.from({ length: ATTEMPTS }, (_, index) =>
    attempt(scene, number * ATTEMPTS + index, random),
  )
  const hits: Hit[] = []
  const own: Hit[] = []
  const ownShots = owners.map((owner, index) => signInOf(owner, clock, index))
  for (let at = 0; at < ATTEMPTS; at += AT_ONCE) {
    // The owners come right in the middle of it.
    const mine = at === AT_ONCE * 8 ? lanes.fire(ownShots) : Promise.resolve([])
    const wave = attempts.slice(at, at + AT_ONCE)
    hits.push(...(await lanes.fire(wave.map(({ shot }) => shot))))
    own.push(...(await mine))
  }
  const compared = (await nodes.computed()).passwords - before.passwords
  const looked = hits.filter(({ said }) => said === '401')
  const of64 = attempts.filter(({ isOf64 }, index) => isOf64 && hits[index]?.said === '401').length
  const windows = Math.floor((clock.now() - beganAt) / serverWindow) + 2

  const violations: string[] = []
  // Beside the spray the owners' passwords are compared, each once.
  const ofSpray = compared - own.filter(({ said }) => said !== '429').length
  if (ofSpray > serverLimit * (windows - 1)) {
    violations.push(`${ofSpray} passwords were compared in ${windows - 1} windows of ${serverLimit}.`)
  }
  if (ofSpray > looked.length) violations.push(`${ofSpray} were compared, ${looked.length} answered as such.`)
  const kept = own.filter((hit) => !hit.won)
  if (kept.length > 0) {
    violations.push(`${kept.length} owners did not get in: ${Object.keys(kindsOf(kept)).join(', ')}.`)
  }
  if (hits.some((hit) => hit.won)) violations.push('The spray got in.')
  const others = Object.keys(kindsOf(hits)).filter((said) => said !== '401' && said !== '429')
  if (others.length > 0) violations.push(`Some were answered ${others.join(', ')}.`)
  return {
    counts: {
      attempts: hits.length,
      'passwords compared': ofSpray,
      'attempts turned away': hits.length - looked.length,
      'compared for one /64': of64,
      'owners who got in': own.length - kept.length,
    },
    violations,
  }
}

/** Name and password in the order of a spray: one password on every name, then the next. */
function attempt({ owners }: Scene, index: number, random: Random): Attempt {
  const name = index % NAMES
  const password = `Winter20${20 + (Math.floor(index / NAMES) % PASSWORDS)}!`
  const owner = owners[name % 97]
  const username = owner === undefined ? `user${name}` : owner.person.username
  const isOf64 = random.below(3) === 0
  const address = isOf64
    ? `2001:db8:7:7:${hex(random)}:${hex(random)}:${hex(random)}:${hex(random)}`
    : addressOf(random)
  const from = { address: `${forged(random)}, ${address}`, cookie: `watchword-browser=${newToken()}` }
  const fields = { username: random.below(2) === 0 ? username : username.toUpperCase(), password }
  const request =
    random.below(2) === 0
      ? jsonRequest('POST', '/auth/login/', from, fields)
      : jsonRequest('POST', '/auth/authenticate/', from, { ...fields, otp: '123456' })
  const claims = [
    ['x-real-ip', forged(random)],
    ['true-client-ip', forged(random)],
    ['forwarded', `for=${forged(random)}`],
    ['user-agent', `client ${random.below(1000)}`],
  ] as const
  const claim = random.pick(claims)
  const headers = request.headers.filter(([header]) => header !== claim[0])
  return { shot: { way: 'spray', request: { ...request, headers: [...headers, claim] } }, isOf64 }
}

/** A thousand of them, in few networks. */
const addressOf = (random: Random) => {
  const host = random.below(1000)
  return `198.51.${100 + (host % 5)}.${1 + Math.floor(host / 5)}`
}

const forged = (random: Random) => `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`
const hex = (random: Random) => random.below(65_536).toString(16)

function signInOf({ person, browserToken }: Owner, clock: FakeClock, index: number): Shot {
  // From the very network that the spray comes from.
  const from = { address: `198.51.100.${1 + index}`, cookie: `watchword-browser=${browserToken}` }
  const otp = person.code('phone', clock.now())
  const fields = { username: person.username, password: OLD_PASSWORD, otp }
  return { way: 'owner', request: jsonRequest('POST', '/auth/authenticate/', from, fields) }
}
