import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { csvLine } from '../../src/http/audit-export.ts'
import { change, makeAdmin, open } from '../support/admin.ts'
import { readable } from '../support/forms.ts'
import { type Enrolled, expectStatus, startWorld, type World } from '../world.ts'

const rowsIn = ({ text }: { readonly text: string }) => text.split('<tr>').slice(2)

describe('the audit log', () => {
  let world: World
  let admin: Enrolled
  let bob: Enrolled

  before(async () => {
    world = await startWorld()
    bob = await world.enrolled('bob')
    const attacker = world.browser({ address: '198.51.100.9', userAgent: '=HYPERLINK("https://evil")' })
    for (let i = 0; i < 4; i++) {
      await attacker.post('/auth/login/', { username: 'bob', password: 'wrong wrong wrong' })
    }
    world.clock.advance(2 * 24 * 3600)
    admin = await makeAdmin(world)
    await change(admin.browser, `/admin/users/${bob.id}`, `/admin/users/${bob.id}/disable`, {
      to: `/admin/users/${bob.id}?notice=disabled`,
    })
  })
  after(() => world.close())

  it('tells what happened in words, to whom, by whom, when and from where', async () => {
    const [first = ''] = rowsIn(await open(admin.browser, '/admin/audit'))
    assert.match(first, /<time datetime="2027-01-17/)
    assert.match(first, /<td>Account disabled<\/td>/)
    assert.match(first, new RegExp(`<a href="/admin/users/${bob.id}">bob</a>`))
    assert.match(first, new RegExp(`<a href="/admin/users/${admin.id}">ada</a>`))
    assert.match(first, /203\.0\.113\.7/)
  })

  it('is filtered by user, event, address and days', async () => {
    const count = async (query: string) => rowsIn(await open(admin.browser, `/admin/audit?${query}`)).length
    assert.equal(await count('event=password-refused'), 4)
    assert.equal(await count('address=198.51.100.9&event=password-refused'), 4)
    assert.equal(await count('address=198.51.100.10'), 0)
    assert.equal(await count('user=BOB&event=user-disabled'), 1)
    assert.equal(await count(`user=${bob.id}&event=user-disabled`), 1)
    assert.equal(await count('event=password-refused&from=2027-01-16'), 0)
    assert.equal(await count('event=password-refused&from=2027-01-15&to=2027-01-15'), 4)
    assert.equal(await count('event=user-disabled&to=2027-01-16'), 0)
  })

  it('says beside the field what cannot be looked for', async () => {
    const page = await expectStatus(
      admin.browser.get('/admin/audit?user=nobody&from=yesterday&to=2027-13-40'),
      422,
    )
    assert.match(page.text, /id="user-error">Nobody has this name/)
    assert.match(page.text, /id="from-error">Write a date/)
    assert.match(page.text, /id="to-error">Write a date/)
    assert.equal(rowsIn(page).length, 0)
  })

  it('goes on by key, fifty at a time, and shows each event once', async () => {
    const { db, newId } = world.services
    const at = world.clock.now() - 3600
    const rows = Array.from({ length: 120 }, () => ({
      ...{
        id: newId(),
        at,
        event: 'keys-pruned',
        outcome: 'success' as const,
        actor_kind: 'system' as const,
      },
      ...{ actor_id: null, user_id: null, address: null, user_agent: null, request_id: null },
      fields: '{"keyIds":["k"]}',
    }))
    await db.insertInto('audit_event').values(rows).execute()
    let path: string | undefined = '/admin/audit?event=keys-pruned'
    const sizes: number[] = []
    while (path !== undefined) {
      const page = await open(admin.browser, path)
      assert.ok(Buffer.byteLength(page.text) < 30_000)
      sizes.push(rowsIn(page).length)
      path = /href="([^"]+)" rel="next"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.deepEqual(sizes, [50, 50, 20])
    await db.deleteFrom('audit_event').where('event', '=', 'keys-pruned').execute()
  })

  it('speaks German', async () => {
    const page = await admin.browser.get('/admin/audit', { 'accept-language': 'de' })
    assert.match(readable(page), /Protokoll.*Konto gesperrt/)
  })

  it('is saved as JSON lines, oldest first and with the same filters, never as a page (SEC-WEB-5)', async () => {
    const answer = await open(admin.browser, '/admin/audit.jsonl?user=bob&event=password-refused')
    assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="audit.jsonl"')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/)
    const lines = answer.text.trimEnd().split('\n')
    assert.equal(lines.length, 4)
    const event = JSON.parse(lines[0] ?? '')
    assert.equal(event.event, 'password-refused')
    assert.deepEqual(event.user, { id: bob.id, username: 'bob' })
    assert.deepEqual(event.details, { reason: 'wrong-password' })
    assert.match(event.at, /^2027-01-15T\d\d:\d\d:\d\dZ$/)
  })

  it('is the same to programs wherever they read it, but for how its times are written', async () => {
    const saved = await open(admin.browser, '/admin/audit.jsonl?event=device-confirmed')
    const events = saved.text.trimEnd().split('\n')
    const { body } = await admin.browser.get('/auth/admin/audit/?event=device-confirmed')
    assert.ok(events.length > 0)
    for (const [index, line] of events.toReversed().entries()) {
      const { at, ...event } = JSON.parse(line)
      assert.deepEqual({ at: Date.parse(at) / 1000, ...event }, body.events[index])
      assert.deepEqual(Object.keys(event.details), ['device_id', 'name'])
    }
  })

  it('is saved as CSV in which no cell is a formula (SEC-INP-5)', async () => {
    const answer = await open(admin.browser, '/admin/audit.csv?event=password-refused')
    assert.match(answer.headers.get('content-type') ?? '', /^text\/csv/)
    assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="audit.csv"')
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/)
    const [head, ...lines] = answer.text.trimEnd().split('\r\n')
    assert.match(head ?? '', /^"id","at","event"/)
    assert.equal(lines.length, 4)
    for (const line of lines) assert.ok(line.includes(`"'=HYPERLINK(""https://evil"")"`), line)
  })

  it('is saved in parts, each event once', async () => {
    const { db, newId } = world.services
    const at = world.clock.now()
    const rows = Array.from({ length: 1201 }, () => ({
      ...{
        id: newId(),
        at,
        event: 'keys-pruned',
        outcome: 'success' as const,
        actor_kind: 'system' as const,
      },
      ...{ actor_id: null, user_id: null, address: null, user_agent: null, request_id: null },
      fields: '{"keyIds":["k"]}',
    }))
    for (let i = 0; i < rows.length; i += 400) {
      await db
        .insertInto('audit_event')
        .values(rows.slice(i, i + 400))
        .execute()
    }
    const { text } = await open(admin.browser, '/admin/audit.jsonl?event=keys-pruned')
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id)
    assert.equal(new Set(ids).size, 1201)
    await db.deleteFrom('audit_event').where('event', '=', 'keys-pruned').execute()
  })

  it('is saved as nothing when nobody has the name', async () => {
    assert.equal((await open(admin.browser, '/admin/audit.jsonl?user=nobody')).text, '')
  })
})

describe('a line of CSV', () => {
  it('turns formulas into text, doubles quotes and keeps the rest (SEC-INP-5)', () => {
    for (const sign of ['=', '+', '-', '@', '\t', '\r', '＝']) {
      assert.equal(csvLine([`${sign}1+1`]), `"'${sign}1+1"\r\n`)
    }
    assert.equal(csvLine(['a "b"', '1,2', "'x", '']), `"a ""b""","1,2","'x",""\r\n`)
  })
})
