import { disableUser } from '../../src/actions/disable-user.ts'
import { inviteUser } from '../../src/actions/invite-user.ts'
import { resetSecondFactor } from '../../src/actions/reset-second-factor.ts'
import { newToken } from '../../src/crypto/random.ts'
import { formKeyOf } from '../../src/domain/token.ts'
import { CALLER_SECRET, PASSWORD, startWorld, type World } from '../../test/world.ts'
import { programPolicies, WIKI } from '../support/nodes.ts'
import type { Random } from '../support/random.ts'
import type { Round, Trial } from '../support/trial.ts'

/** The last of them are sent away for their number. */
const ATTEMPTS = 7

/** Every answer, byte for byte, compared between accounts of every standing. */
export const sameAnswers: Trial = {
  id: 'FT-ENUM-1',
  name: 'same-answers',
  holds:
    'Without the password all accounts and all names of nobody are answered alike, byte for byte; where errors are uniform, whoever has the password learns no more of a code (I9).',
  rounds: 'comparisons',
  sizes: { ci: 28, soak: 1400, release: 2800 },
  needs: ['answers compared', 'of them refused for their number', 'answers to a right password compared'],
  patience: 120,
  async begin() {
    const worlds = [await openWorld(false), await openWorld(true)]
    return {
      round: (number, random) => compare(worlds[number % 2] as Opened, Math.floor(number / 2), random),
      async end() {
        for (const { world } of worlds) await world.close()
        return undefined
      },
    }
  },
}

interface Opened {
  readonly world: World
  readonly isUniform: boolean
}

async function openWorld(isUniform: boolean): Promise<Opened> {
  const world = await startWorld({
    config: {
      login: { uniformErrors: isUniform, form: isUniform ? 'single' : 'steps', returnOrigins: [WIKI] },
      throttle: { networkLimit: 1e9, siteLimit: 1e9, serverLimit: 1e9 },
      policies: programPolicies,
    },
  })
  const by = { operator: 'trial' }
  await world.user('bare')
  await world.enrolled('bound')
  await world.enrolled('chief', { isSuperuser: true })
  await world.user('disabled')
  await disableUser(world.services, 'disabled', by)
  await world.user('invited', { password: undefined })
  await inviteUser(world.services, 'invited', by)
  await world.user('renewing', { mustChangePassword: true })
  await world.enrolled('resetting')
  await resetSecondFactor(world.services, 'resetting', by)
  return { world, isUniform }
}

const accounts = ['bare', 'bound', 'chief', 'disabled', 'invited', 'renewing', 'resetting'] as const

interface Asked {
  readonly username: string
  readonly password: string
  readonly otp: string
}

const json = (path: string, fields: object) => ({
  path,
  init: {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  },
})

/** One key for all, so that it is the same in every page. */
const token = newToken()
const page = (fields: Record<string, string>) => ({
  path: '/login',
  init: {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie: `__Host-watchword-form=${token}`,
    },
    body: new URLSearchParams({ ...fields, form_token: formKeyOf(token) }).toString(),
  },
})

const program = (username: string, text: string) => ({
  path: '/api/authorize?policy=programs',
  init: {
    method: 'GET',
    headers: {
      'x-watchword-secret': CALLER_SECRET,
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-method': 'GET',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': new URL(WIKI).host,
      'x-forwarded-uri': '/',
      authorization: `Basic ${Buffer.from(`${username}:${text}`).toString('base64')}`,
    },
  },
})

type Call = { readonly path: string; readonly init: RequestInit }

/** Every address at which a name is asked about. */
const ways: readonly (readonly [string, (asked: Asked) => Call])[] = [
  ['login', ({ username, password }) => json('/auth/login/', { username, password })],
  ['at once', (asked) => json('/auth/authenticate/', asked)],
  [
    'recovery code',
    ({ username, password }) =>
      json('/auth/authenticate/', { username, password, otp: '0-0000-0000-0000-0000' }),
  ],
  ['page', ({ username, password }) => page({ step: 'password', username, password })],
  ['page at once', (asked) => page({ step: 'single', ...asked })],
  ['password and code of a program', ({ username, password, otp }) => program(username, password + otp)],
  ['app password', ({ username }) => program(username, 'ww-aaaa-bbbb-cccc-dddd-eeee-ffff')],
]

async function compare({ world, isUniform }: Opened, number: number, random: Random): Promise<Round> {
  const [name, call] = ways[number % ways.length] as (typeof ways)[number]
  const mode = isUniform ? 'uniform errors' : 'usual errors'
  const otp = String(random.below(1e6)).padStart(6, '0')
  const strangers = [
    `no-${random.bytes(4).toString('hex')}`,
    'x'.repeat(1 + random.below(200)),
    '../..',
    'a b',
  ]
  const password = `wrong ${random.bytes(6).toString('hex')}`
  const asked = random.shuffled([...accounts, ...strangers]).map((username) => ({ username, password, otp }))
  const first = await answersTo(
    world,
    asked.map((each) => ({ who: each.username, asked: each, call })),
  )
  const violations = told(first, `${name}, ${mode}`)
  let right = 0
  // With uniform errors a right password is no news where the code comes with it.
  if (isUniform && atOnce.has(name)) {
    const known = ['bare', 'bound', 'renewing', 'resetting']
    const both = known.flatMap((username) => [
      {
        who: `${username} with the password`,
        asked: { username, password: PASSWORD, otp: '00000000' },
        call,
      },
      { who: `${username} without`, asked: { username, password, otp: '00000000' }, call },
    ])
    const answers = await answersTo(world, random.shuffled(both))
    violations.push(...told(answers, `${name}, ${mode}`))
    right = both.length * ATTEMPTS
  }
  const throttled = [...first.keys()].reduce((sum, text) => sum + (text.split('429').length - 1), 0)
  return {
    counts: {
      'answers compared': asked.length * ATTEMPTS + right,
      'of them refused for their number': throttled * asked.length,
      'answers to a right password compared': right,
    },
    violations,
  }
}

const atOnce = new Set(['at once', 'recovery code', 'page at once', 'password and code of a program'])

/** Who was answered how; each several times over, as if nobody had asked before. */
async function answersTo(
  world: World,
  all: readonly { readonly who: string; readonly asked: Asked; readonly call: (asked: Asked) => Call }[],
): Promise<Map<string, string[]>> {
  const seen = new Map<string, string[]>()
  for (const { who, asked, call } of all) {
    await world.services.db.deleteFrom('attempts').execute()
    const answers: string[] = []
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) answers.push(await answer(world, call(asked), asked))
    const text = answers.join('\n\n')
    seen.set(text, [...(seen.get(text) ?? []), who])
  }
  return seen
}

/** All of an answer that somebody could compare; what differs between any two is masked, and the name that was typed. */
async function answer({ app }: World, { path, init }: Call, { username }: Asked): Promise<string> {
  const peer = { kind: 'tcp', address: '127.0.0.1' } as const
  const response = await app.request(`https://auth.example.com${path}`, init, { peer })
  const headers = [...response.headers].filter(([name]) => name !== 'x-request-id' && name !== 'date')
  const text = (await response.text()).replaceAll(/"request_id":"[^"]*"/g, '"request_id":""')
  return [
    response.status,
    ...headers.map((pair) => pair.join(': ')),
    text.replaceAll(`value="${username}"`, 'value="NAME"'),
  ].join('\n')
}

function told(seen: ReadonlyMap<string, readonly string[]>, about: string): string[] {
  if (seen.size === 1) return []
  const groups = [...seen.values()].map((names) => names.join(', '))
  return [`${about}: ${groups.join(' are answered one way, ')} another.`]
}
