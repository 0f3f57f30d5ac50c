import { nameKey } from '../../src/actions/budgets.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { newToken } from '../../src/crypto/random.ts'
import { formKeyOf } from '../../src/domain/token.ts'
import { type Browser, CALLER_SECRET, startWorld, type World } from '../../test/world.ts'
import { CHANCE, distanceOf, medianOf } from '../support/classifier.ts'
import { programPolicies, WIKI } from '../support/nodes.ts'
import type { Random } from '../support/random.ts'
import type { Judgement, Round, Samples, Trial } from '../support/trial.ts'

/** As the catalogue has it: told apart is what can be ranked better than this and is further off than a millisecond. */
const AUC_AROUND_HALF = 0.03
const CLOSE_MS = 1
/** One in so many rounds is done with password hashes as they are outside of trials, too. */
const REAL_EVERY = 5

/** Accounts of every standing, and names that are nobody's. */
const standings = ['nobody', 'bare', 'bound', 'disabled', 'invited', 'renewing'] as const
type Standing = (typeof standings)[number]

/** How long answers take tells nothing of an account to whoever has no password. */
export const signInTiming: Trial = {
  id: 'FT-TIME-1',
  name: 'sign-in-timing',
  holds: `How long a refusal takes does not tell whether a name is somebody's, nor how their account stands: ranks within ${AUC_AROUND_HALF} of chance, or medians within ${CLOSE_MS} ms.`,
  rounds: 'times each',
  sizes: { ci: 120, soak: 10_000, release: 20_000 },
  needs: ['refusals measured', 'refusals measured with real hashes'],
  patience: 60,
  async begin({ size }) {
    // With few rounds those of one way are enough for a difference to show.
    const slowWays = size === 'ci' ? (['login'] as const) : (['login', 'at once'] as const)
    const cheap = await sceneOf(false)
    const real = await sceneOf(true)
    // The first calls compile what they run.
    for (let turn = 0; turn < 15; turn++) await measure(cheap, Object.keys(ways) as Way[])
    await measure(real, ['login'])
    return {
      async round(number, random) {
        const samples = await measure(cheap, Object.keys(ways) as Way[], random)
        const measured = Object.keys(samples).length
        if (number % REAL_EVERY !== 0) return roundOf(samples, { 'refusals measured': measured })
        const more = await measure(real, [random.pick<Way>(slowWays)], random)
        return roundOf(
          { ...samples, ...more },
          {
            'refusals measured': measured,
            'refusals measured with real hashes': Object.keys(more).length,
          },
        )
      },
      async end() {
        await cheap.world.close()
        await real.world.close()
        return undefined
      },
    }
  },
  judge,
}

const roundOf = (samples: Samples, counts: Round['counts']): Round => ({ counts, violations: [], samples })

interface Scene {
  readonly world: World
  readonly hash: string
}

async function sceneOf(realHashes: boolean): Promise<Scene> {
  const config = {
    login: { returnOrigins: [WIKI] },
    throttle: { passwordFree: 1000, networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 },
    policies: programPolicies,
  }
  const world = await startWorld({ realHashes, config })
  const by = { operator: 'trial' }
  await world.user('bare')
  await world.enrolled('bound')
  await world.user('disabled')
  await disableUser(world.services, 'disabled', by)
  await world.user('invited', { password: undefined })
  await inviteUser(world.services, 'invited', by)
  await world.user('renewing', { mustChangePassword: true })
  await world.enrolled(waiting('bound'))
  return { world, hash: realHashes ? 'real hash' : 'cheap hash' }
}

/** What is asked of a name by somebody with a wrong password. */
type Ask = (browser: Browser, username: string, world: World) => Promise<{ readonly status: number }>

const wrong = 'not the password of anybody'
const token = newToken()
const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: `__Host-watchword-form=${token}` },
  body: new URLSearchParams({ ...fields, form_token: formKeyOf(token) }).toString(),
})

const ways = {
  login: (browser, username) => browser.post('/auth/login/', { username, password: wrong }),
  'at once': (browser, username) =>
    browser.post('/auth/authenticate/', { username, password: wrong, otp: '123456' }),
  'recovery code': (browser, username) =>
    browser.post('/auth/authenticate/', { username, password: wrong, otp: '0-0000-0000-0000-0000' }),
  page: (browser, username) => browser.send('/login', form({ step: 'password', username, password: wrong })),
  'page at once': (browser, username) =>
    browser.send('/login', form({ step: 'single', username, password: wrong, otp: '123456' })),
  program: async (_, username, { app }) => {
    const credentials = Buffer.from(`${username}:${wrong}123456`).toString('base64')
    const headers = {
      'x-watchword-secret': CALLER_SECRET,
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-method': 'GET',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': new URL(WIKI).host,
      'x-forwarded-uri': '/',
      authorization: `Basic ${credentials}`,
    }
    const peer = { kind: 'tcp', address: '127.0.0.1' } as const
    return app.request('https://auth.example.com/api/authorize?policy=programs', { headers }, { peer })
  },
} as const satisfies Record<string, Ask>
type Way = keyof typeof ways

/** Names whose wait has begun. */
const waiting = (standing: 'nobody' | 'bound') => `late-${standing}`

let strangers = 0

/** A name as long as the others, of nobody, and each time another. */
const nameOf = (standing: Standing): string =>
  standing === 'nobody' ? `no${String(strangers++).padStart(5, '0')}` : standing

/** One refusal of each way and standing, in another order each time; milliseconds. */
async function measure(
  { world, hash }: Scene,
  which: readonly Way[],
  random?: Random,
): Promise<Record<string, number[]>> {
  const all = which.flatMap((way) => [
    ...standings.map((standing) => ({ way, username: nameOf(standing), what: `${way} | ${standing}` })),
    // During a wait nothing is looked at: sooner for everybody, and no sooner for somebody than for nobody.
    ...(['nobody', 'bound'] as const).map((standing) => {
      return { way, username: waiting(standing), what: `${way} during a wait | ${standing}` }
    }),
  ])
  await beginWaits(world)
  const samples: Record<string, number[]> = {}
  for (const { way, username, what } of random === undefined ? all : random.shuffled(all)) {
    const browser = world.browser()
    const began = performance.now()
    const { status } = await ways[way](browser, username, world)
    const took = performance.now() - began
    if (status < 400 || status >= 500) throw new Error(`${what}: ${status}`)
    samples[`${hash}, ${what}`] = [Math.round(took * 1000) / 1000]
  }
  return samples
}

/** Everything that was charged is forgotten, but for two names. */
async function beginWaits({ services }: World): Promise<void> {
  const { db, sealer, now } = services
  await db.deleteFrom('attempts').execute()
  const row = { count: 1000, since: now(), blocked_until: now() + 600 }
  const keys = (['nobody', 'bound'] as const).map((standing) => nameKey(sealer, waiting(standing)))
  await db
    .insertInto('attempts')
    .values(keys.map((key) => ({ key, ...row })))
    .execute()
}

function judge(samples: Samples): Judgement {
  const violations: string[] = []
  let [furthest, off, real] = [0, 0, 0]
  for (const [key, values] of Object.entries(samples)) {
    const [way = '', standing = ''] = key.split(' | ')
    const nobody = samples[`${way} | nobody`] ?? []
    if (standing === 'nobody') continue
    const { auc, error, difference } = distanceOf(values, nobody)
    furthest = Math.max(furthest, Math.abs(auc - 0.5))
    if (way.startsWith('real')) real = Math.max(real, Math.abs(difference))
    else off = Math.max(off, Math.abs(difference))
    const isRanked = Math.abs(auc - 0.5) > AUC_AROUND_HALF + CHANCE * error
    const isOff = Math.abs(difference) > Math.max(CLOSE_MS, medianOf(nobody) / 100)
    if (isRanked && isOff) {
      violations.push(
        `${way}: ${standing} is ${rounded(difference)} ms from nobody, and ranks at ${rounded(auc)}.`,
      )
    }
  }
  return {
    figures: {
      'area under the curve, furthest from a half': rounded(furthest),
      'medians apart at most, in ms': rounded(off),
      'with real hashes': rounded(real),
    },
    violations,
  }
}

const rounded = (value: number) => Math.round(value * 1000) / 1000
