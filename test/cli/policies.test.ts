import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { done, json, misused, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

describe('access policies', () => {
  test('are listed, built in and own', async (t) => {
    const { run, folder } = place(t)
    writeFileSync(
      join(folder, 'watchword.toml'),
      '[policies.wiki]\ngroups = ["staff"]\nusers = ["Bob"]\nwithin = 600\nnetworks = ["10.0.0.0/8"]\n[policies.dav]\naccess = ["password-code"]\ncode_window = 900\n',
    )
    done(await run('policy list'), /^wiki +two-factor +600 s +group staff, bob +10\.0\.0\.0\/8 +session$/m)
    const { policies } = json(await run('policy list --json'))
    assert.deepEqual(
      policies.map(({ name }: { name: string }) => name),
      ['password', 'two-factor', 'two-factor-recent', 'wiki', 'dav'],
    )
    assert.deepEqual(
      policies.map((policy: { code_window: unknown }) => policy.code_window),
      [null, null, null, null, 900],
    )
    done(await run('policy list'), /^dav +two-factor +everybody +everywhere +password-code$/m)
    done(await run('config'), /^policies\.wiki\.groups +\["staff"\] +.*watchword\.toml$/m)
  })

  test('are tried out: allow or deny, and why', async (t) => {
    const here = place(t)
    const { run, folder } = here
    writeFileSync(
      join(folder, 'watchword.toml'),
      '[policies.inside]\nnetworks = ["10.0.0.0/8"]\naccess = ["session", "app-password"]\n',
    )
    done(await run('user create bob --password-stdin', { stdin: `${goodPassword}\n` }))
    done(await run('group create staff'))
    const about = (more: string) => run(`policy test --user bob --policy ${more}`)
    done(await about('two-factor'), /^allow: every condition of the policy holds\.$/m)
    refused(
      await about('two-factor --proof password'),
      /^deny, and ask for a better proof: two factors are needed/,
    )
    refused(await about('two-factor-recent --age 900'), /the sign-in is older than 900 seconds/)
    done(await about('two-factor-recent --age 899'), /^allow/)
    refused(await about('group-staff'), /^deny: the user is none of: the group staff\./)
    done(await run('group add staff bob'))
    done(await about('group-staff'), /^allow/)
    refused(await about('two-factor-recent --proof app-password'), /takes session only/)
    misused(await about('inside'), /add --address/)
    refused(await about('inside --address 192.0.2.7'), /in none of its networks/)
    done(await about('inside --address 10.1.2.3 --proof app-password'), /^allow/)
    refused(await about('two-factor --proof password-code'), /takes session and app-password only/)
    refused(await about('nowhere'), /^deny: there is no policy "nowhere"/)
    misused(await about('inside --address x'), /Write an IP address/)
    refused(await run('policy test --user nobody --policy password'), /no user "nobody"/)
    here.withDatabase((database) => {
      const group = database.prepare('INSERT INTO user_group (name, created_at) VALUES (?, 1)')
      const member = database.prepare('INSERT INTO group_member (group_name, user_id) SELECT ?, id FROM user')
      for (let at = 0; at < 200; at++) {
        group.run(`department-${at}`)
        member.run(`department-${at}`)
      }
    })
    refused(await about('two-factor'), /^deny: the user is in more groups than an application can be told/)
    done(await about('group-staff'), /^allow/)
    done(await run('user disable bob'))
    refused(await about('two-factor'), /^deny: bob is disabled/)
  })
})

describe('the files for Apache', () => {
  test('are written with the secret of the server, and again after a change', async (t) => {
    const { run, folder, env } = place(t)
    const prefix = join(folder, 'apache2')
    done(await run(`apache install --prefix ${prefix} --group staff`), /protect-group-staff\.conf\n/)
    const secret = readFileSync(join(env.WATCHWORD_DATA ?? '', 'authorizer-secret'), 'utf8').trim()
    const file = (name: string) => join(prefix, 'watchword', name)
    assert.match(readFileSync(file('secret.conf'), 'utf8'), new RegExp(`WW_SECRET=${secret}$`, 'm'))
    const modes = [file('secret.conf'), join(env.WATCHWORD_DATA ?? '', 'authorizer-secret')]
    assert.deepEqual(
      modes.map((path) => statSync(path).mode & 0o777),
      [0o600, 0o600],
    )
    chmodSync(file('secret.conf'), 0o644)
    writeFileSync(join(folder, 'watchword.toml'), '[policies.wiki]\naccess = ["app-password"]\n')
    const port = { WATCHWORD_AUTHORIZER_LISTEN: '127.0.0.2:9999' }
    done(await run(`apache install --prefix ${prefix}`, { env: port }), /protect-wiki\.conf\n/)
    assert.equal(statSync(file('secret.conf')).mode & 0o777, 0o600)
    assert.match(readFileSync(file('secret.conf'), 'utf8'), new RegExp(`WW_SECRET=${secret}$`, 'm'))
    assert.match(readFileSync(file('protect-wiki.conf'), 'utf8'), /^CGIPassAuth On$/m)
    const server = readFileSync(join(prefix, 'conf-available', 'watchword-authorizer.conf'), 'utf8')
    assert.match(server, /fcgi:\/\/127\.0\.0\.2:9999\//)
  })

  test('are not written where they could not work', async (t) => {
    const { run, folder, env } = place(t)
    const prefix = join(folder, 'apache2')
    const off = { WATCHWORD_AUTHORIZER_LISTEN: 'off' }
    refused(await run(`apache install --prefix ${prefix}`, { env: off }), /authorizer\.listen/)
    misused(await run(`apache install --prefix ${prefix} --group Staff`), /--group is "Staff"/)
    misused(await run(`apache install --prefix ${prefix}/$\{x}`), /--prefix/)
    done(await run(`apache install --prefix ${prefix}`))
    chmodSync(join(env.WATCHWORD_DATA ?? '', 'authorizer-secret'), 0o644)
    refused(await run(`apache install --prefix ${prefix}`), /may be read by others.*chmod 600/)
  })
})

test('an address of the authorizer that is taken, or is not this machine, is refused', async (t) => {
  const { run } = place(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const serve = (listen: string) =>
    run('serve', {
      env: {
        ...{ WATCHWORD_LISTEN: '127.0.0.1:0', WATCHWORD_ORIGIN: 'http://127.0.0.1:8000' },
        ...{ WATCHWORD_LOG_LEVEL: 'silent', WATCHWORD_AUTHORIZER_LISTEN: listen },
      },
    })
  const taken = await serve(`127.0.0.1:${port}`)
  assert.equal(taken.code, 1)
  assert.match(taken.stderr, new RegExp(`127\\.0\\.0\\.1:${port} cannot be used`))
  for (const listen of ['0.0.0.0:9010', '192.0.2.7:9010', 'unix:/run/x', '9010', 'localhost:9010']) {
    misused(await serve(listen), /authorizer\.listen/)
  }
})
