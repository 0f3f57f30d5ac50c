import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startWorld, type WorldOptions } from '../world.ts'

const path = '/.well-known/jwks.json'

const policies: NonNullable<WorldOptions['config']>['policies'] = {
  told: {
    ...{ groups: [], users: [], networks: [], within: undefined, assertion: true, lease: 30 },
    ...{ proof: 'two-factor', access: ['session'] },
  },
}

describe('the published keys of assertions (SEC-CRY-6)', () => {
  it('are public halves alone, the same at each request, and may be kept for five minutes', async (t) => {
    const world = await startWorld({ config: { policies } })
    t.after(() => world.close())
    const { browser } = await world.enrolled('ada')
    const { status, headers, text, setCookies } = await browser.get(path)
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'public, max-age=300')
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    assert.deepEqual(setCookies, [])
    const { keys } = JSON.parse(text)
    assert.equal(keys.length, 1)
    assert.deepEqual(Object.keys(keys[0]).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    assert.equal((await world.browser().get(path)).text, text)
  })

  it('are none, and none is made, where no policy asks for assertions', async (t) => {
    const world = await startWorld()
    t.after(() => world.close())
    assert.equal((await world.browser().get(path)).text, '{"keys":[]}')
    assert.deepEqual(await world.services.db.selectFrom('signing_key').selectAll().execute(), [])
  })
})
