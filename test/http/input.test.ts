import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { routes } from '../../src/http/api/routes.ts'
import { type Browser, PASSWORD, startWorld, type World } from '../world.ts'
import { errorOf, halfSignedIn, isSignedIn, stranger } from './journeys.ts'

let world: World
let signedIn: Browser
let half: Browser
let admin: Browser
let userId: string
let deviceId: string
before(async () => {
  world = await startWorld()
  signedIn = (await world.enrolled('vera')).browser
  deviceId = (await signedIn.get('/auth/devices/')).body.devices[0].id
  half = await halfSignedIn(world, 'vera')
  const chief = await world.enrolled('chief', { isSuperuser: true })
  admin = chief.browser
  userId = chief.id
})
after(() => world.close())

/** Every route that takes fields, called by somebody whose fields are looked at, with fields that are right. */
const calls = (): { path: string; method: string; browser: Browser; fields: Record<string, string> }[] => [
  {
    method: 'POST',
    path: '/auth/login/',
    browser: stranger(world),
    fields: { username: 'x', password: 'y' },
  },
  {
    method: 'POST',
    path: '/auth/authenticate/',
    browser: stranger(world),
    fields: { username: 'x', password: 'y', otp: '123456' },
  },
  { method: 'POST', path: '/auth/verify/', browser: half, fields: { otp: '123456' } },
  { method: 'POST', path: '/auth/register-secret/', browser: signedIn, fields: { name: 'Phone' } },
  { method: 'PATCH', path: `/auth/devices/${deviceId}/`, browser: signedIn, fields: { name: 'Phone' } },
  {
    method: 'POST',
    path: '/auth/password/',
    browser: signedIn,
    fields: { current_password: 'x', new_password: 'a new and longer password' },
  },
  {
    method: 'POST',
    path: '/auth/app-passwords/',
    browser: signedIn,
    fields: { name: 'git', policies: 'nowhere' },
  },
  {
    method: 'POST',
    path: '/auth/invitation/',
    browser: stranger(world),
    fields: { code: 'x'.repeat(43), password: 'a new and longer password' },
  },
  {
    method: 'POST',
    path: '/auth/setup/',
    browser: stranger(world),
    fields: { code: 'x'.repeat(43), username: 'x', password: 'a new and longer password' },
  },
  {
    method: 'POST',
    path: '/auth/admin/users/',
    browser: admin,
    fields: { username: 'y' },
  },
  { method: 'POST', path: '/auth/admin/groups/', browser: admin, fields: { name: 'wiki' } },
  { method: 'POST', path: `/auth/admin/users/${userId}/groups/`, browser: admin, fields: { group: 'none' } },
]

const sendText = (
  browser: Browser,
  method: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  type = 'application/json',
) => browser.send(path, { method, body, headers: { 'content-type': type }, keepCookies: false })

const refused = async (text: string, call: ReturnType<typeof calls>[number], type?: string) => {
  const reply = await sendText(call.browser, call.method, call.path, text, type)
  assert.deepEqual(errorOf(reply), [400, 'invalid_request'], `${call.path} ${text.slice(0, 200)}`)
}

describe('fields', () => {
  it('of every route with a body are tested here', () => {
    const tested = calls().map(
      ({ method, path }) => `${method} ${path.replace(deviceId, ':id').replace(userId, ':id')}`,
    )
    const all = routes.filter(({ body }) => body !== undefined).map(({ method, path }) => `${method} ${path}`)
    assert.deepEqual(tested.toSorted(), all.toSorted())
  })

  it('that a route does not know are refused (SEC-INP-1, L-12)', async () => {
    const extra = [
      'role',
      'id',
      'verified',
      'user_id',
      'is_superuser',
      'next',
      'amr',
      '',
      'constructor',
      '__proto__',
    ]
    for (const call of calls()) {
      for (const name of [...extra, 'prototype', 'hasOwnProperty', 'toString', '$ne', 'Username', 'otp ']) {
        const known = JSON.stringify(call.fields).slice(1, -1)
        await refused(`{${known},${JSON.stringify(name)}:"true"}`, call)
        await refused(`{${known},${JSON.stringify(name)}:{"is_superuser":true}}`, call)
        const form = new URLSearchParams([...Object.entries(call.fields), [name, 'true']])
        await refused(form.toString(), call, 'application/x-www-form-urlencoded')
      }
    }
  })

  it('of a wrong type are refused, and never turned into text (SEC-INP-2, L-47, L-58)', async () => {
    const values = [
      0,
      123456,
      1.5,
      Number.MAX_VALUE,
      true,
      false,
      null,
      [],
      ['x'],
      [['x']],
      {},
      { length: 6 },
      { $ne: null },
    ]
    for (const call of calls()) {
      for (const name of Object.keys(call.fields)) {
        for (const value of values) await refused(JSON.stringify({ ...call.fields, [name]: value }), call)
      }
    }
  })

  it('that are missing are refused, where there is no default', async () => {
    for (const call of calls().filter(({ path }) => !/register-secret/.test(path))) {
      for (const name of Object.keys(call.fields)) {
        await refused(JSON.stringify({ ...call.fields, [name]: undefined }), call)
      }
    }
  })

  it('given twice are refused, in JSON and in forms, however they are written (SEC-INP-9)', async () => {
    for (const call of calls()) {
      for (const [name, value] of Object.entries(call.fields)) {
        const text = JSON.stringify(call.fields).slice(1, -1)
        const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`
        await refused(`{${text},"${name}":"${value}"}`, call)
        await refused(`{"${name}":"other",${text}}`, call)
        await refused(`{${text},"${escaped}":"other"}`, call)
        const form = `${new URLSearchParams(call.fields)}&${name}=other`
        await refused(form, call, 'application/x-www-form-urlencoded')
        const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`
        await refused(
          `${new URLSearchParams(call.fields)}&${encoded}=other`,
          call,
          'application/x-www-form-urlencoded',
        )
        await refused(
          `${new URLSearchParams(call.fields)}&${name}[]=other`,
          call,
          'application/x-www-form-urlencoded',
        )
      }
    }
  })

  it('of a form that are not percent-encoded UTF-8 are refused, and so never become equal (SEC-INP-3, SEC-PW-4)', async () => {
    for (const call of calls()) {
      for (const bad of ['p%E4ss', 'p%F6ss', '%', '%4', '%zz', '%C0%AF', '%ED%A0%80']) {
        for (const name of Object.keys(call.fields)) {
          const others = new URLSearchParams(Object.entries(call.fields).filter(([each]) => each !== name))
          await refused(`${others}&${name}=${bad}`, call, 'application/x-www-form-urlencoded')
        }
        await refused(
          `${new URLSearchParams(call.fields)}&${bad}=x`,
          call,
          'application/x-www-form-urlencoded',
        )
      }
    }
  })

  it('of a form may hold a plus sign, a space, an equals sign and any letter', async () => {
    const password = 'ä +=&% 𝒳 of some length'
    await world.user('former', { password })
    const fields = new URLSearchParams({ username: 'former', password })
    for (const form of [
      `${fields}`,
      `&${fields}&`,
      `username=former&password=${encodeURIComponent(password)}`,
    ]) {
      const reply = await sendText(
        stranger(world),
        'POST',
        '/auth/login/',
        form,
        'application/x-www-form-urlencoded',
      )
      assert.equal(reply.status, 200, form)
    }
  })

  it('in the query are not looked at (SEC-INP-9)', async () => {
    const query = new URLSearchParams({ username: 'vera', password: PASSWORD })
    assert.equal((await stranger(world).post(`/auth/login/?${query}`)).status, 400)
    const wrong = await stranger(world).post(`/auth/login/?${query}`, { username: 'vera', password: 'wrong' })
    assert.equal(wrong.status, 401)
  })

  it('that are too long are refused', async () => {
    const login = (fields: object) => stranger(world).post('/auth/login/', fields)
    assert.equal((await login({ username: 'x'.repeat(256), password: 'y' })).status, 401)
    assert.equal((await login({ username: 'x'.repeat(257), password: 'y' })).status, 400)
    assert.equal((await login({ username: 'x', password: 'é'.repeat(256) })).status, 401)
    assert.equal((await login({ username: 'x', password: 'é'.repeat(257) })).status, 400)
    const rename = (name: string) => signedIn.patch(`/auth/devices/${deviceId}/`, { name })
    assert.equal((await rename('🦜'.repeat(64))).status, 200)
    assert.equal((await rename('🦜'.repeat(65))).status, 400)
    for (const name of ['', ' ', '\t', 'a\nb', 'a\0b', '\u001b[31m', 'x'.repeat(257)]) {
      assert.equal((await rename(name)).status, 400, JSON.stringify(name))
    }
  })

  it('are never said back in an error (SEC-ERR-1)', async () => {
    const marker = 'mArKeR7391'
    for (const call of calls()) {
      for (const name of Object.keys(call.fields)) {
        for (const value of [[marker], marker.repeat(200), { [marker]: marker }]) {
          const body = JSON.stringify({ ...call.fields, [name]: value, [marker]: marker })
          const { text } = await sendText(call.browser, call.method, call.path, body)
          assert.equal(text.includes(marker), false, text)
        }
      }
    }
  })
})

describe('bodies', () => {
  it('that are no JSON object are refused', async () => {
    const texts = [
      'null',
      '[]',
      '"x"',
      '1',
      'true',
      '{',
      '}',
      '{"a"',
      "{'a':1}",
      '{a:1}',
      '{"a":1,}',
      '{} {}',
      '\ufeff{}',
      'x',
    ]
    for (const call of calls()) {
      for (const text of texts) await refused(text, call)
    }
  })

  it('that are not UTF-8 are refused (SEC-INP-3)', async () => {
    const tails = [
      [0xff],
      [0xc3],
      [0xc0, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x28, 0xa1],
    ]
    for (const call of calls()) {
      for (const tail of tails) {
        for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
          const json = type === 'application/json'
          const [before, after] = json
            ? ['{"username":"x', '","password":"y"}']
            : ['username=x', '&password=y']
          const body = Buffer.concat([Buffer.from(before), Buffer.from(tail), Buffer.from(after)])
          const reply = await sendText(call.browser, call.method, call.path, new Uint8Array(body), type)
          assert.deepEqual(errorOf(reply), [400, 'invalid_request'])
        }
      }
    }
  })

  it('of 16 KiB are read and of one byte more are not (SEC-API-5)', async () => {
    const text = JSON.stringify({ username: 'vera', password: 'wrong' })
    const padded = (size: number) => text + ' '.repeat(size - text.length)
    assert.equal((await sendText(stranger(world), 'POST', '/auth/login/', padded(16_384))).status, 401)
    for (const call of calls()) {
      const reply = await sendText(call.browser, call.method, call.path, padded(16_385))
      assert.deepEqual(errorOf(reply), [413, 'too_large'])
    }
  })

  it('without a declared length are cut off as soon as they are too long', async () => {
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(1024).fill(0x20))
      },
    })
    const init = {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    } as const
    assert.deepEqual(errorOf(await stranger(world).send('/auth/login/', init)), [413, 'too_large'])
    assert.ok(pulled < 40, `${pulled} parts were read`)
  })

  it('that declare more than they may are refused unread', async () => {
    for (const length of ['16385', '999999999999', '1e9']) {
      const headers = { 'content-type': 'application/json', 'content-length': length }
      const reply = await stranger(world).send('/auth/login/', { method: 'POST', body: '{}', headers })
      assert.deepEqual(errorOf(reply), [413, 'too_large'], length)
    }
  })

  it('are not needed by calls that take no fields, and fields there are refused', async () => {
    for (const path of ['/auth/logout/', '/auth/recovery-codes/']) {
      const { browser } = await world.enrolled(`bare${path.length}`)
      assert.deepEqual(errorOf(await browser.post(path, { user_id: 'x' })), [400, 'invalid_request'])
      assert.equal(await isSignedIn(browser), true)
      assert.equal((await browser.post(path, {})).status, 200)
    }
  })

  it('of any content never make the server fail (FT-FUZZ-3)', async () => {
    const key = fc.constantFrom(
      'username',
      'password',
      'otp',
      'name',
      'new_password',
      '__proto__',
      'constructor',
      '',
    )
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 300 }))
    const body = fc.oneof(
      fc.dictionary(key, value).map((fields) => JSON.stringify(fields)),
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.json({ maxDepth: 4 }),
    )
    const type = fc.constantFrom('application/json', 'application/x-www-form-urlencoded')
    const list = calls()
    await fc.assert(
      fc.asyncProperty(fc.nat(list.length - 1), body, type, async (index, text, contentType) => {
        const call = list[index] ?? assert.fail()
        const { status } = await sendText(call.browser, call.method, call.path, text, contentType)
        assert.ok(status < 500, `${call.path} ${status}`)
      }),
      { numRuns: 1500 },
    )
  })
})

it('blames whoever went away in the middle of a body, and not itself (SEC-ERR-3)', async () => {
  const lines: string[] = []
  const logged = await startWorld({ log: (line) => lines.push(line) })
  for (const path of ['/auth/login/', '/login']) {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('username=vera&pass'))
        controller.error(new Error('aborted'))
      },
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const { status } = await logged.browser().send(path, init)
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`)
  }
  await logged.close()
  assert.ok(lines.some((line) => line.includes('/auth/login/')))
  assert.deepEqual(
    lines.filter((line) => JSON.parse(line).level >= 50),
    [],
  )
})
