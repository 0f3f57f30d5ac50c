import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { disableUser } from '../../src/actions/disable-user.ts'
import { enableUser } from '../../src/actions/enable-user.ts'
import { readParams } from '../../src/apache/fastcgi/params.ts'
import { joinLeaseFolder, openLeaseFolder, revokeLeases } from '../../src/apache/leases/folder.ts'
import { createLeases, type Leases } from '../../src/apache/leases/grant.ts'
import { type AuthorizerAnswer, isSound } from '../../src/authorizer/answer.ts'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { type Composed, compose, systemClock } from '../../src/compose.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { startWorld, type World } from '../world.ts'

const host = 'wiki.example.net'
const operator = { operator: 'test' }

// The authorizer and the store as they are; a second process beside it is a second set of services on its database.
describe('a lease that is under way while somebody revokes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-grants-'))
  const directory = join(folder, 'leases')
  let world: World
  let beside: Composed
  let leases: Leases
  let authorize: ReturnType<typeof createAuthorizer>
  /** Called before (odd) and after (even) each decision; the file is written between the second and the third. */
  let atStop: (stop: number) => Promise<void> = async () => {}
  let stops = 0

  before(async () => {
    world = await startWorld({ ticking: true, config: { authorizer: { leaseDirectory: directory } } })
    beside = await compose(world.config, { now: world.clock.now })
    authorize = createAuthorizer(world.services, {
      origin: world.config.origin,
      hosts: new Set([`https://${host}`]),
      metrics: world.edge.metrics,
    })
    leases = createLeases(
      async (request) => {
        await atStop(++stops)
        const answer = await authorize(request)
        await atStop(++stops)
        return answer
      },
      {
        folder: openLeaseFolder(directory, newId),
        secret: 'the secret of the caller',
        now: world.clock.now,
        failed: (error) => assert.fail(`${error}`),
      },
    )
    leases.permit(true)
  })
  after(async () => {
    leases?.stop()
    await beside?.close()
    await world?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  let people = 0
  /** Somebody with a session that the host knows. */
  async function somebody(): Promise<{ id: UserId; username: string; token: Token }> {
    const username = `person${people++}`
    const id = await world.user(username)
    const token = newToken()
    await signIn(id, token)
    return { id, username, token }
  }
  async function signIn(id: UserId, token: Token) {
    const { db } = world.services
    const now = world.clock.now()
    const sessionId = newId()
    await sessions.insert(db, {
      ...{ id: sessionId, userId: id, amr: ['pwd', 'otp'], authTime: now, createdAt: now, lastSeenAt: now },
      ...{ expiresAt: now + 3600, address: '', userAgent: '', tokenHash: hashToken(newToken()) },
    })
    await siteSessions.replace(db, { tokenHash: hashToken(token), sessionId, host: `https://${host}` }, now)
  }
  const requestOf = (token: Token, more: Record<string, string> = {}) =>
    readParams(
      new Map(
        Object.entries({
          WW_POLICY: 'two-factor',
          WW_TIME: localTime(world.clock.now()),
          REMOTE_ADDR: '192.0.2.7',
          REQUEST_METHOD: 'GET',
          REQUEST_SCHEME: 'https',
          HTTP_HOST: host,
          REQUEST_URI: '/',
          HTTP_COOKIE: `__Host-watchword-site=${token}`,
          ...more,
        }),
      ),
    )
  const ask = (token: Token, more?: Record<string, string>) => {
    stops = 0
    return leases.handle(requestOf(token, more))
  }
  /** The leases that Apache would find. */
  const found = (): string[] =>
    readdirSync(join(directory, 'policies'), { withFileTypes: true }).flatMap(({ name }) =>
      readdirSync(join(directory, 'policies', name))
        .map((file) => join(directory, 'policies', name, file))
        .filter((path) => existsSync(path)),
    )

  const revokers = [
    ['this process', () => world.services],
    ['another process', () => beside.services],
  ] as const
  for (const [who, services] of revokers) {
    for (const [when, stop] of [
      ['before anything', 1],
      ['after the first decision', 2],
      ['after the file is written', 3],
      ['after the second decision', 4],
      ['when it is in place', 5],
    ] as const) {
      it(`is no lease where ${who} disables the user ${when}, and none comes back with the user (FT-REV-1)`, async () => {
        const { id, username, token } = await somebody()
        const revoke = () => disableUser(services(), username, operator)
        atStop = async (at) => {
          if (at === stop) await revoke()
        }
        const answer = await ask(token)
        atStop = async () => {}
        if (stop === 5) {
          assert.equal(found().length, 1)
          await revoke()
        }
        assert.deepEqual(found(), [])
        assert.equal(answer.kind === 'allow', stop >= 4, answer.kind)
        assert.notEqual((await ask(token)).kind, 'allow')
        await enableUser(services(), username, operator)
        assert.deepEqual(found(), [])
        await signIn(id, token)
        assert.equal((await ask(token)).kind, 'allow')
        assert.equal(found().length, 1)
        revokeLeases(directory, [id], newId)
        assert.deepEqual([found(), readdirSync(join(directory, 'gone'))], [[], []])
      })
    }
  }

  it('is one file, whole at any moment, with times on the clock of Apache', async () => {
    const { username, id, token } = await somebody()
    const now = world.clock.now()
    await ask(token)
    const [path = ''] = found()
    const lines = readFileSync(path, 'utf8').split('\n')
    assert.deepEqual(lines.slice(2), [username, '', 'pwd,otp', id, ''])
    assert.ok([localTime(now), localTime(now + 1)].includes(lines[0] ?? ''))
    assert.ok([localTime(now + 30), localTime(now + 31)].includes(lines[1] ?? ''))
    assert.deepEqual(readdirSync(join(directory, 'users', id)).length, 1)
    revokeLeases(directory, [id], newId)
  })

  it('is taken away when it has ended, and renewed where it is asked for (L-52)', async () => {
    const { id, token } = await somebody()
    await ask(token)
    world.clock.advance(20)
    await ask(token)
    const [path = ''] = found()
    assert.equal(readFileSync(path, 'utf8').split('\n')[1], localTime(world.clock.now() + 30))
    world.clock.advance(31)
    const deadline = performance.now() + 60_000
    while (existsSync(join(directory, 'users', id))) {
      assert.ok(performance.now() < deadline, 'it stays')
      await delay(20)
    }
    assert.deepEqual(readdirSync(join(directory, 'policies', 'two-factor')), [])
    world.clock.set(systemClock())
  })

  it('ends no later than the session or its proof', async () => {
    const { id, token } = await somebody()
    const now = world.clock.now()
    const until = async (policy: string) => {
      await ask(token, { WW_POLICY: policy })
      const line = readFileSync(found().find((path) => path.includes(`/${policy}/`)) ?? '', 'utf8').split(
        '\n',
      )[1]
      return line ?? ''
    }
    const { db } = world.services
    await db
      .updateTable('session')
      .set({ expires_at: now + 20, auth_time: now - 15 * 60 + 10 })
      .where('user_id', '=', id)
      .execute()
    assert.equal(await until('two-factor'), localTime(now + 20))
    assert.equal(await until('two-factor-recent'), localTime(now + 10))
    revokeLeases(directory, [id], newId)
  })

  it('is none where an answer says what a file could not', async () => {
    const { token } = await somebody()
    const origin = `https://${host}`
    const said = { REMOTE_GROUPS: '', WW_AMR: 'pwd', WW_USER_ID: 'x' }
    const repeatable = { origin, token, until: world.clock.now() + 30 }
    const answers: readonly AuthorizerAnswer[] = [
      { kind: 'allow', user: 'x', variables: { ...said, WW_ASSERTION: 'signed' }, repeatable },
      { kind: 'allow', user: 'x', variables: said, cookies: ['a=b'], repeatable },
      { kind: 'allow', user: 'x', variables: said },
      { kind: 'allow', user: 'x', repeatable },
    ]
    for (const answer of answers) {
      assert.ok(isSound(answer))
      const other = createLeases(async () => answer, {
        folder: openLeaseFolder(directory, newId),
        secret: 'the secret of the caller',
        now: world.clock.now,
        failed: () => {},
      })
      other.permit(true)
      assert.deepEqual(await other.handle(requestOf(token)), answer)
      assert.deepEqual(found(), [])
      other.stop()
    }
  })

  it('is none while notices of other nodes may be missed, and those that there were are gone', async () => {
    const { token } = await somebody()
    await ask(token)
    assert.equal(found().length, 1)
    leases.permit(false)
    assert.deepEqual(found(), [])
    assert.equal((await ask(token)).kind, 'allow')
    assert.deepEqual(found(), [])
    atStop = async (at) => {
      if (at === 4) leases.permit(false)
    }
    leases.permit(true)
    await ask(token)
    atStop = async () => {}
    assert.deepEqual(found(), [])
    leases.permit(true)
  })

  it('is none where notices were missed meanwhile, also among several processes that lease there (FT-REV-1, FT-NET-1)', async () => {
    const { token } = await somebody()
    let decisions = 0
    const other = createLeases(
      async (request) => {
        const answer = await authorize(request)
        // The connection breaks while the second decision is on its way, and is there again before that has come.
        if (++decisions === 2) for (const isConnected of [false, true]) other.permit(isConnected)
        return answer
      },
      {
        ...{ folder: joinLeaseFolder(directory, newId), sharers: 2, secret: 'the secret of the caller' },
        ...{ now: world.clock.now, failed: (error) => assert.fail(`${error}`) },
      },
    )
    other.permit(true)
    assert.equal((await other.handle(requestOf(token))).kind, 'allow')
    assert.deepEqual(found(), [])
    await other.handle(requestOf(token))
    assert.equal(found().length, 1)
    other.stop()
    assert.deepEqual(found(), [])
  })
})

/** As Apache writes `%{TIME}`. */
function localTime(at: number): string {
  const date = new Date(at * 1000)
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
  return `${date.getFullYear()}${parts.map((part) => String(part).padStart(2, '0')).join('')}`
}
