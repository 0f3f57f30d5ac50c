import { authenticate } from '../../src/actions/authenticate.ts'
import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { submitCode } from '../../src/actions/submit-code.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { formKeyOf, hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as logins from '../../src/store/logins.ts'
import * as sessions from '../../src/store/sessions.ts'
import { caller } from '../../test/actions/operations.ts'
import { type Nodes, WIKI } from './nodes.ts'
import type { Random } from './random.ts'
import { formRequest, jsonRequest, placeRequest, type Shot } from './volley.ts'

/** Every way on which a code is sent. */
export const codeWays = ['verify', 'page', 'authenticate', 'page at once', 'basic', 'step-up'] as const
export type CodeWay = (typeof codeWays)[number]

/** Whose code it is. */
export interface Holder {
  readonly id: UserId
  readonly username: string
  readonly password: string
}

/** What is there before the code comes: logins that wait for it, and sessions that are to be proven again. */
export interface Hands {
  readonly loginTokens: readonly Token[]
  readonly sessionTokens: readonly Token[]
}

/** Begins logins and sessions as the steps before would have. */
export async function giveHands(
  { db, now: clock }: Services,
  { id: userId }: Pick<Holder, 'id'>,
  count: number,
): Promise<Hands> {
  const now = clock()
  const tokens = () => Array.from({ length: count }, newToken)
  const [loginTokens, sessionTokens] = [tokens(), tokens()]
  await db.transaction().execute(async (tx) => {
    const { epoch } = await tx
      .selectFrom('user')
      .select('epoch')
      .where('id', '=', userId)
      .executeTakeFirstOrThrow()
    for (const token of loginTokens) {
      await logins.insert(
        tx,
        { tokenHash: hashToken(token), userId, amr: ['pwd'], epoch },
        { now, expiresAt: now + 300 },
      )
    }
    for (const token of sessionTokens) {
      await sessions.insert(tx, {
        ...{ id: newId(), userId, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
        ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(token) },
      })
    }
  })
  return { loginTokens, sessionTokens }
}

/** One code, sent so many times by all the ways that are named, each time from an address of its own. */
export function codeShots(
  nodes: Nodes,
  { holder, hands, code }: { readonly holder: Holder; readonly hands: Hands; readonly code: string },
  {
    ways,
    count,
    random,
  }: { readonly ways: readonly CodeWay[]; readonly count: number; readonly random: Random },
): Shot[] {
  const of = <T>(list: readonly T[], index: number) => list[index % list.length] as T
  return random.shuffled(
    Array.from({ length: count }, (_, index) => {
      const turn = Math.floor(index / ways.length)
      const hand = {
        loginToken: of(hands.loginTokens, turn),
        sessionToken: of(hands.sessionTokens, turn),
      }
      return shotBy(of(ways, index), nodes, { holder, code, ...hand }, addressOf(random))
    }),
  )
}

const addressOf = (random: Random) =>
  `100.${64 + random.below(64)}.${random.below(256)}.${1 + random.below(254)}`

interface Sent {
  readonly holder: Holder
  readonly code: string
  readonly loginToken: Token
  readonly sessionToken: Token
}

function shotBy(way: CodeWay, nodes: Nodes, sent: Sent, address: string): Shot {
  const { holder, code, loginToken, sessionToken } = sent
  const { username, password } = holder
  const all = { username, password, otp: code }
  const atOnce = (uniform: boolean) => (services: Services) =>
    authenticate(services, { username, password, code, uniform }, { ...caller, address })
  const step = (services: Services) => submitCode(services, { loginToken, code }, { ...caller, address })
  const atLogin = { address, cookie: `watchword-login=${loginToken}` }
  switch (way) {
    case 'verify':
      return { way, request: jsonRequest('POST', '/auth/verify/', atLogin, { otp: code }), beside: step }
    case 'page': {
      const fields = { step: 'code', from: 'app', tries: '0', otp: code, form_token: formKeyOf(loginToken) }
      return { way, request: formRequest('/login', atLogin, fields), beside: step }
    }
    case 'authenticate':
      return {
        way,
        request: jsonRequest('POST', '/auth/authenticate/', { address }, all),
        beside: atOnce(false),
      }
    case 'page at once': {
      const token = newToken()
      const from = { address, cookie: `watchword-form=${token}` }
      const fields = { step: 'single', ...all, form_token: formKeyOf(token) }
      return { way, request: formRequest('/login', from, fields), beside: atOnce(true) }
    }
    case 'basic':
      return {
        way,
        request: placeRequest(
          nodes,
          { address },
          { policy: 'programs', basic: `${username}:${password}${code}` },
        ),
        beside: (services) =>
          authorizeRequest(services, {
            ...{ policy: 'programs', host: WIKI, address, siteToken: undefined },
            credentials: { username, password: `${password}${code}` },
          }),
      }
    case 'step-up': {
      const from = { address, cookie: `watchword-session=${sessionToken}` }
      const fields = { password, otp: code, form_token: formKeyOf(sessionToken) }
      return { way, request: formRequest('/confirm', from, fields), beside: atOnce(true) }
    }
  }
}

/** The policy that takes a password and code in one field. */
export const programsPolicy = '[policies.programs]\naccess = ["session", "app-password", "password-code"]\n'
