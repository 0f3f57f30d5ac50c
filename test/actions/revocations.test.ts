import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { changeGroup } from '../../src/actions/change-group.ts'
import { endSession } from '../../src/actions/end-session.ts'
import { issueTicket } from '../../src/actions/issue-ticket.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { takeTicket } from '../../src/actions/take-ticket.ts'
import { type LeaseFolder, openLeaseFolder } from '../../src/apache/leases/folder.ts'
import { newId, newToken } from '../../src/crypto/random.ts'
import { leaseName } from '../../src/domain/lease.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import * as siteSessions from '../../src/store/site-sessions.ts'
import { startWorld, type World } from '../world.ts'
import { caller, type Operation, operations } from './operations.ts'
import { makePerson, type Person } from './person.ts'

const host = 'https://wiki.example.net'
const by = { operator: 'test' }

/** What ends sessions besides. */
const more: Record<string, Operation> = {
  'end one session': async (services, { sessionTokens }) => {
    const [mine, other] = await Promise.all(sessionTokens.map((token) => resumeSession(services, token)))
    assert.ok(mine && other)
    return endSession(services, mine, { id: other.session.id, caller })
  },
  'operator: take out of a group': (services, { username, group }) =>
    changeGroup(services, { kind: 'remove', group, who: username }, by),
  'enter the host anew': async (services, { sessionTokens }) => {
    const held = await resumeSession(services, sessionTokens[0])
    assert.ok(held)
    const waitToken = newToken()
    const entry = { host, stateHash: hashToken(waitToken), policy: undefined, address: '192.0.2.7' }
    const issued = await issueTicket(services, held, entry)
    assert.ok(issued.kind === 'issued')
    await takeTicket(services, { ticket: issued.ticket, waitToken, host })
    return { kind: 'done' }
  },
}

describe('whoever loses standing loses every lease before that is answered', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-leases-'))
  const directory = join(folder, 'leases')
  let world: World
  let leases: LeaseFolder
  const revoking = new Set<string>()

  before(async () => {
    leases = openLeaseFolder(directory, newId)
    world = await startWorld({
      config: { login: { enrolment: 'optional' }, authorizer: { leaseDirectory: directory } },
    })
  })
  after(async () => {
    await world?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const decide = (policy: string, siteToken: Token) =>
    authorizeRequest(world.services, {
      ...{ policy, host, address: '192.0.2.7', credentials: undefined },
      siteToken,
    })

  /** A lease of each policy that lets a person in, for each of two sessions. */
  async function leaseAll({ id, sessionTokens, group }: Person) {
    const all: { policy: string; token: Token; path: string; facts: string }[] = []
    for (const sessionToken of sessionTokens) {
      const held = await resumeSession(world.services, sessionToken)
      assert.ok(held)
      const token = newToken()
      const sessionId = held.session.id
      const { db } = world.services
      await siteSessions.replace(db, { tokenHash: hashToken(token), sessionId, host }, world.clock.now())
      for (const policy of ['password', 'two-factor', `group-${group}`]) {
        const { until: _, ...facts } = { until: 0, ...(await decide(policy, token)) }
        if (facts.kind !== 'allow') continue
        const name = leaseName('the secret of the caller', host, token)
        assert.ok(leases.prepare(id, 'x').publish({ policy, userId: id, name }))
        const path = join(directory, 'policies', policy, name)
        assert.ok(existsSync(path))
        all.push({ policy, token, path, facts: JSON.stringify(facts) })
      }
    }
    return all
  }

  for (const kind of ['enrolled', 'newcomer'] as const) {
    for (const [name, operation] of Object.entries({ ...operations, ...more })) {
      it(`${kind}: ${name} (SEC-SES-7, SEC-SES-8)`, async () => {
        const person = await makePerson(world.services, kind)
        if (name !== 'operator: add to a group') {
          await changeGroup(world.services, { kind: 'add', group: person.group, who: person.username }, by)
        }
        const held = await leaseAll(person)
        assert.ok(held.length > 1)
        await operation(world.services, person)
        for (const { policy, token, path, facts } of held) {
          const { until: _, ...now } = { until: 0, ...(await decide(policy, token)) }
          if (JSON.stringify(now) === facts) continue
          revoking.add(name)
          assert.ok(!existsSync(path), `${policy} is still leased: ${facts} became ${JSON.stringify(now)}`)
        }
      })
    }
  }

  it('which most of these do', () => {
    for (const name of [
      ...['remove the phone', 'change the password', 'end the other sessions', 'accept an invitation'],
      ...['sign out', 'operator: disable', 'operator: delete', 'operator: set a password'],
      ...['operator: reset the second factor', 'operator: add to a group', 'operator: delete the group'],
      ...['confirm enrolment', ...Object.keys(more)],
    ]) {
      assert.ok(revoking.has(name), name)
    }
  })
})
