import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { plot } from '../../src/http/pages/plot.ts'
import { makeAdmin, open } from '../support/admin.ts'
import { readable } from '../support/forms.ts'
import { type Enrolled, startWorld, type World } from '../world.ts'

describe('the overview', () => {
  let world: World
  let admin: Enrolled

  before(async () => {
    world = await startWorld()
    await world.user('carol')
    await world.enrolled('bob')
    for (let i = 0; i < 3; i++) {
      await world.browser().post('/auth/login/', { username: 'carol', password: 'wrong wrong wrong' })
    }
    world.clock.advance(24 * 3600)
    admin = await makeAdmin(world)
  })
  after(() => world.close())

  it('tells how many users there are, and the share of those with a second factor', async () => {
    assert.match(
      readable(await open(admin.browser, '/admin')),
      /3 users 66 % with a second factor 0 disabled/,
    )
  })

  it('follows each plot by its numbers in a table', async () => {
    const { text } = await open(admin.browser, '/admin')
    const plots = [...text.matchAll(/<svg class="plot"[^>]* role="img" aria-label="([^"]+)"/g)]
    assert.deepEqual(
      plots.map(([, label]) => label),
      [
        'Sign-ins a day: 2 in 30 days, at most 1 on 15 Jan',
        'Refusals a day: 3 in 30 days, at most 3 on 15 Jan',
        'New authenticators a day: 2 in 30 days, at most 1 on 15 Jan',
      ],
    )
    const tables = text.split('<details>').slice(1)
    assert.equal(tables.length, 3)
    for (const table of tables) assert.equal(table.split('<th scope="row">').length - 1, 30)
    assert.match(tables[1] ?? '', /<th scope="row">15 Jan.*?<td class="number">3.*?<td class="number">0/)
  })

  it('needs no script and no style of its own for the plots (SEC-WEB-1)', async () => {
    const { text } = await open(admin.browser, '/admin')
    assert.doesNotMatch(text, / style=|<script>|onload/)
    assert.ok(Buffer.byteLength(text) < 30_000)
  })

  it('speaks German', async () => {
    const page = await admin.browser.get('/admin', { 'accept-language': 'de' })
    assert.match(readable(page), /Überblick.*mit zweitem Faktor.*Ablehnungen/)
    assert.match(page.text, /aria-label="Anmeldungen je Tag: 2 in 30 Tagen, höchstens 1 am 15\. Jan\."/)
  })
})

describe('a plot', () => {
  const bars = async (values: readonly number[]) =>
    [
      ...String(await plot({ label: 'x', values })).matchAll(
        /<rect [^>]*y="([\d.]+)"[^>]*height="([\d.]+)"/g,
      ),
    ].map(([, y, height]) => [Number(y), Number(height)])

  it('draws the largest as high as it is, and the others beside it', async () => {
    assert.deepEqual(await bars([10, 5, 0]), [
      [0, 96],
      [48, 48],
    ])
  })

  it('lets small numbers be seen, and draws nothing for none', async () => {
    assert.deepEqual(await bars([1000, 1]), [
      [0, 96],
      [94, 2],
    ])
    assert.deepEqual(await bars([0, 0]), [])
    assert.deepEqual(await bars([]), [])
  })

  it('escapes what it is called', async () => {
    assert.ok(
      String(await plot({ label: '"><b>', values: [1] })).includes('aria-label="&quot;&gt;&lt;b&gt;"'),
    )
  })
})
