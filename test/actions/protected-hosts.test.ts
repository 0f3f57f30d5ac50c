import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { authorizeRequest } from '../../src/actions/authorize-request.ts'
import { issueTicket } from '../../src/actions/issue-ticket.ts'
import { resumeSession } from '../../src/actions/resume-session.ts'
import { signOut } from '../../src/actions/sign-out.ts'
import { takeTicket } from '../../src/actions/take-ticket.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { Services } from '../../src/services.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'
import { caller } from './operations.ts'
import { makePerson } from './person.ts'

after(closeEngines)

const host = 'https://wiki.example.net'

for (const engine of [sqlite, postgres]) {
  describe(`entering a protected host, on ${engine.name}`, () => {
    const stage = stageFor(engine)

    async function ticketOf(services: Services, sessionToken: Token) {
      const held = await resumeSession(services, sessionToken)
      assert.ok(held)
      const waitToken = services.newToken()
      const entry = { host, stateHash: hashToken(waitToken), policy: undefined, address: '192.0.2.7' }
      const issued = await issueTicket(services, held, entry)
      assert.equal(issued.kind, 'issued')
      return issued.kind === 'issued'
        ? { held, entry, given: { ticket: issued.ticket, waitToken, host } }
        : undefined
    }
    const ask = (services: Services, siteToken: Token | undefined) =>
      authorizeRequest(services, {
        ...{ policy: 'password', host, address: '192.0.2.7', credentials: undefined },
        siteToken,
      })

    it('and signing out at the same moment leaves nothing open, and neither fails (SEC-SES-7)', async () => {
      const { services } = stage()
      for (let round = 0; round < 10; round++) {
        const { sessionTokens } = await makePerson(services, 'enrolled')
        const [sessionToken] = sessionTokens
        const begun = await ticketOf(services, sessionToken)
        assert.ok(begun)
        const { held, entry, given } = begun
        const [siteToken] = await Promise.all([
          takeTicket(services, given),
          signOut(services, { sessionToken, loginToken: undefined }, caller),
          issueTicket(services, held, entry),
        ])
        assert.equal((await ask(services, siteToken)).kind, 'sign-in')
        assert.equal((await issueTicket(services, held, entry)).kind, 'ended')
        assert.equal(await takeTicket(services, given), undefined)
      }
      assert.deepEqual(await services.db.selectFrom('site_session').select('host').execute(), [])
      assert.deepEqual(await services.db.selectFrom('ticket').select('host').execute(), [])
    })

    it('is written down as activity once a minute, and leaves nothing else', async () => {
      const { services, world } = stage()
      const { sessionTokens } = await makePerson(services, 'enrolled')
      const begun = await ticketOf(services, sessionTokens[0])
      const siteToken = begun && (await takeTicket(services, begun.given))
      assert.ok(begun)
      const seen = async () =>
        (
          await services.db
            .selectFrom('session')
            .select('last_seen_at')
            .where('id', '=', begun.held.session.id)
            .executeTakeFirstOrThrow()
        ).last_seen_at
      const before = await seen()
      const events = (await world.audit()).length
      world.clock.advance(59)
      assert.equal((await ask(services, siteToken)).kind, 'allow')
      assert.equal(await seen(), before)
      world.clock.advance(1)
      assert.equal((await ask(services, siteToken)).kind, 'allow')
      assert.equal(await seen(), before + 60)
      assert.equal((await world.audit()).length, events)
    })
  })
}
