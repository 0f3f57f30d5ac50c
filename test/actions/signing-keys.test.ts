import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { assertIdentity } from '../../src/actions/assert-identity.ts'
import { checkKeys } from '../../src/actions/check-keys.ts'
import { purgeExpired } from '../../src/actions/purge-expired.ts'
import { resealKeys } from '../../src/actions/reseal-keys.ts'
import { rotateSigningKey } from '../../src/actions/rotate-signing-key.ts'
import { heldSigningKeys, listPublishedKeys } from '../../src/actions/signing-keys.ts'
import { addKey, readKeyFile } from '../../src/crypto/key-file.ts'
import { createSealer } from '../../src/crypto/sealer.ts'
import { createSigning } from '../../src/crypto/signing.ts'
import { ASSERTION_TYPE, KEY_LEAD, KEY_SET_LIFETIME, KEYS_REMEMBERED } from '../../src/domain/assertion.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as signingKeys from '../../src/store/signing-keys.ts'
import type { World } from '../world.ts'
import { closeEngines, postgres, sqlite, stageFor } from './engines.ts'

after(closeEngines)

const by = { operator: 'test' }
const identity = {
  issuer: 'https://auth.example.com',
  audience: 'https://wiki.example.net',
  userId: 'id' as UserId,
  username: 'Ada',
  groups: [],
  amr: ['pwd'],
  authTime: undefined,
} as const

const policies: World['config']['policies'] = {
  told: {
    ...{ groups: [], users: [], networks: [], within: undefined, assertion: true, lease: 30 },
    ...{ proof: 'two-factor', access: ['session'] },
  },
}

for (const engine of [sqlite, postgres]) {
  describe(`the keys of assertions, on ${engine.name} (SEC-CRY-6)`, () => {
    const stage = stageFor(engine, { config: { policies } })

    /** Another server on the same database and key file. */
    const another = (): Services => {
      const { world, services } = stage()
      const file = readKeyFile(world.config.keyFile)
      assert.ok(file)
      const sealer = createSealer(file)
      return { ...services, sealer, signing: createSigning(sealer) }
    }
    /** Nothing of the test before. */
    const fresh = async () => {
      const { services, world } = stage()
      await signingKeys.removeBefore(services.db, 1_000_000)
      return { services: another(), clock: world.clock }
    }
    const published = async (services: Services) => {
      const keys = await listPublishedKeys(services)
      return createLocalJWKSet({ keys: keys.map(({ id, publicKey }) => ({ ...publicKey, kid: id })) })
    }
    const verify = async (services: Services, token: string) => {
      const { protectedHeader } = await jwtVerify(token, await published(services), {
        ...{ issuer: identity.issuer, audience: identity.audience, typ: ASSERTION_TYPE },
        ...{ algorithms: ['ES256'], currentDate: new Date(services.now() * 1000) },
      })
      return protectedHeader.kid
    }

    it('are made when they are first needed, one for all servers that need it at once', async () => {
      const { services } = await fresh()
      const servers = Array.from({ length: 8 }, another)
      const seen = await Promise.all(
        servers.flatMap((server) => [heldSigningKeys(server), heldSigningKeys(server)]),
      )
      const [stored, ...more] = await signingKeys.list(services.db)
      assert.deepEqual(more, [])
      for (const keys of seen) assert.deepEqual(keys, [stored])
      const token = await assertIdentity(servers[0] ?? services, identity)
      assert.equal(await verify(services, token), stored?.id)
    })

    it('are rotated without a moment at which an assertion fails', async () => {
      const { services, clock } = await fresh()
      // One that keeps the set as long as it may, and a server that knows the keys as they were before.
      let kept = { set: await published(services), at: clock.now() }
      const before = await verify(services, await assertIdentity(services, identity))
      clock.advance(KEYS_REMEMBERED - 1)
      const rotated = await rotateSigningKey(another(), { atOnce: false, by })
      assert.ok(rotated.kind === 'rotated')
      assert.equal(rotated.usedFrom, clock.now() + KEY_LEAD)
      const signedBy = new Set<string | undefined>()
      for (let second = 0; second < KEY_LEAD + 200; second += 7) {
        if (clock.now() - kept.at >= KEY_SET_LIFETIME)
          kept = { set: await published(services), at: clock.now() }
        const token = await assertIdentity(services, identity)
        clock.advance(7)
        const { protectedHeader } = await jwtVerify(token, kept.set, {
          currentDate: new Date(services.now() * 1000),
        })
        signedBy.add(protectedHeader.kid)
      }
      assert.deepEqual([...signedBy], [before, rotated.keyId])
      assert.deepEqual(
        (await listPublishedKeys(another())).map(({ id }) => id),
        [rotated.keyId],
      )
      assert.equal((await purgeExpired(services)).signingKeys, 1)
      assert.deepEqual(
        (await signingKeys.list(services.db)).map(({ id }) => id),
        [rotated.keyId],
      )
    })

    it('are not rotated again while applications learn the last one', async () => {
      const { services, clock } = await fresh()
      await heldSigningKeys(services)
      const first = await rotateSigningKey(services, { atOnce: false, by })
      assert.ok(first.kind === 'rotated')
      const { keyId, usedFrom } = first
      clock.advance(KEY_LEAD - 1)
      assert.deepEqual(await rotateSigningKey(services, { atOnce: false, by }), {
        kind: 'under-way',
        keyId,
        usedFrom,
      })
      clock.advance(1)
      assert.equal((await rotateSigningKey(services, { atOnce: false, by })).kind, 'rotated')
    })

    it('are rotated once by several at the same moment', async () => {
      const { services } = await fresh()
      await heldSigningKeys(services)
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () => rotateSigningKey(another(), { atOnce: false, by })),
      )
      assert.equal(outcomes.filter(({ kind }) => kind === 'rotated').length, 1)
      assert.equal((await signingKeys.list(services.db)).length, 2)
    })

    it('are changed at once for one in wrong hands, which servers know within half a minute', async () => {
      const { services, clock } = await fresh()
      const stolen = await verify(services, await assertIdentity(services, identity))
      await rotateSigningKey(another(), { atOnce: false, by })
      const rotated = await rotateSigningKey(another(), { atOnce: true, by })
      assert.ok(rotated.kind === 'rotated')
      assert.deepEqual(
        (await signingKeys.list(services.db)).map(({ id }) => id),
        [rotated.keyId],
      )
      clock.advance(KEYS_REMEMBERED)
      const token = await assertIdentity(services, identity)
      assert.equal(await verify(services, token), rotated.keyId)
      assert.notEqual(rotated.keyId, stolen)
      const events = await stage().world.audit()
      assert.deepEqual(events.findLast(({ event }) => event === 'signing-key-rotated')?.fields, {
        keyId: rotated.keyId,
        usedFrom: rotated.usedFrom,
      })
    })

    it('are checked and sealed anew with everything else', async () => {
      const { services } = await fresh()
      const [key] = await heldSigningKeys(services)
      assert.ok(key)
      const file = readKeyFile(stage().world.config.keyFile)
      assert.ok(file)
      addKey(file)
      const server = another()
      assert.deepEqual(await resealKeys(server, by), { resealed: 1 })
      const [anew] = await signingKeys.list(services.db)
      assert.equal(server.sealer.keyIdOf(anew?.sealedKey ?? ''), server.sealer.currentKeyId())
      assert.deepEqual({ ...anew, sealedKey: '' }, { ...key, sealedKey: '' })
      await verify(server, await assertIdentity(another(), identity))
      assert.deepEqual((await checkKeys(server)).unopenableSigningKeys, [])
      await signingKeys.reseal(services.db, key.id, anew?.sealedKey ?? '', key.sealedKey.slice(0, -4))
      assert.deepEqual((await checkKeys(server)).unopenableSigningKeys, [key.id])
      await assert.rejects(assertIdentity(another(), identity), { name: 'SealError' })
    })
  })
}
