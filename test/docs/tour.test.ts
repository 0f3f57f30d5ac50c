import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { environment, runWatchword, startWatchword, type Watchword } from '../support/watchword.ts'
import { PASSWORD, totp } from '../world.ts'

const run = promisify(execFile)
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The curl commands of the README in their order, each with the lines that belong to it. */
const commands = [...readme.matchAll(/^curl (?:.*\\\n)*.*$/gm)].map(([command]) => command)

describe('the five-minute tour of the README', () => {
  let folder: string
  let env: Record<string, string>
  let server: Watchword

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ww-tour-'))
    env = environment(folder, { WATCHWORD_LISTEN: '127.0.0.1:0', WATCHWORD_ORIGIN: 'http://127.0.0.1:8000' })
    server = await startWatchword(folder, env)
  })
  after(async () => {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('leads from the first user to a session and recovery codes by the commands as they stand', async () => {
    const made = await runWatchword(folder, env, {
      args: ['createsuperuser', '--username', 'alice', '--password-stdin'],
      stdin: `${PASSWORD}\n`,
    })
    assert.match(made, /alice/)
    assert.equal(commands.length, 5)

    let secret = ''
    const answers = []
    for (const command of commands) {
      const otp = secret === '' ? '' : totp(secret, Math.floor(Date.now() / 1000))
      const typed = command
        .replaceAll('http://127.0.0.1:8000', server.address)
        .replaceAll('YOUR PASSWORD', PASSWORD)
        .replaceAll('otp=123456', `otp=${otp}`)
      const { stdout } = await run('sh', ['-c', `${typed} -s`], { cwd: folder })
      const answer = JSON.parse(stdout)
      secret ||= answer.shared_secret ?? ''
      answers.push(answer)
    }
    const [login, registered, authenticated, session, recovery] = answers
    assert.equal(login.next, 'enrol-totp')
    assert.ok(registered.expires_in > 290 && registered.expires_in <= 300)
    assert.equal(authenticated.message, 'Authentication successful')
    assert.deepEqual([session.user.username, session.verified], ['alice', true])
    assert.equal(recovery.recovery_codes.length, 10)
  })

  it('gets back in after a loss with the code that the operator prints', async () => {
    const printed = await runWatchword(folder, env, {
      args: ['user', 'reset-second-factor', 'alice', '--yes'],
    })
    const code = /\d(?:-[0-9A-Z]{4}){4}/.exec(printed)?.[0] ?? ''
    const fields = ['-d', 'username=alice', '--data-urlencode', `password=${PASSWORD}`, '-d', `otp=${code}`]
    const { stdout } = await run('curl', ['-s', `${server.address}/auth/authenticate/`, ...fields])
    assert.equal(JSON.parse(stdout).next, 'enrol-totp')
  })
})
