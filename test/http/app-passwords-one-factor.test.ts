import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, startWorld, type World } from '../world.ts'

describe('an app password made by somebody who has a password alone', () => {
  let world: World
  before(async () => {
    world = await startWorld({ config: { login: { enrolment: 'optional' } } })
  })
  after(() => world.close())

  it('opens no place that demands two factors (SEC-AUTH-4)', async () => {
    await world.user('single', { groups: [] })
    const browser = world.browser()
    assert.equal((await browser.post('/auth/login/', { username: 'single', password: PASSWORD })).status, 200)
    const make = (policies: string) =>
      browser.post('/auth/app-passwords/', { name: 'git', policies, days: '30' })
    const refused = await make('two-factor')
    assert.equal(refused.status, 400, refused.text)
    assert.equal((await make('password,two-factor')).status, 400)
    const made = await make('password')
    assert.equal(made.status, 200, made.text)
  })

  it('is offered for no such place either, on the page and in the API', async () => {
    await world.user('offered', { groups: [] })
    const browser = world.browser()
    await browser.post('/auth/login/', { username: 'offered', password: PASSWORD })
    assert.deepEqual((await browser.get('/auth/app-passwords/')).body.policies, ['password'])
    const { text } = await browser.get('/account/app-passwords', { accept: 'text/html' })
    const offered = [...text.matchAll(/name="policy-([^"]+)"/g)].map(([, name]) => name)
    assert.deepEqual(offered, ['password'])
  })
})
