import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cbc, container, derivedKey, encryptedSecret, figure7, protectedBy, token } from '../support/pskc.ts'
import { json } from './expect.ts'
import { goodPassword, type Place, place } from './watchword.ts'

const enter = '\r'

/**
 * Runs the program on a terminal of its own (`script` of util-linux), and types each answer once its question is there.
 *
 * Nothing here waits for a time: only for what is on the screen.
 */
function converse(
  { command, env, folder }: Place,
  args: string,
  answers: readonly (readonly [question: RegExp, answer: string])[],
): Promise<{ code: number | null; screen: string }> {
  const words = [...command, ...args.split(' ')].map((word) => `'${word}'`).join(' ')
  // A new terminal has no size, and what is drawn on it no order.
  const child = spawn('script', ['-qec', `stty cols 200 rows 50; ${words}`, '/dev/null'], {
    cwd: folder,
    env,
  })
  const left = [...answers]
  let screen = ''
  let seen = 0
  const tooLate = setTimeout(() => child.kill('SIGKILL'), 120_000)
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk
    const [next] = left
    if (next === undefined || !next[0].test(screen.slice(seen))) return
    left.shift()
    seen = screen.length
    child.stdin.write(next[1])
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(tooLate)
      assert.deepEqual(left, [], `questions that did not come, after: ${screen}`)
      resolve({ code, screen })
    })
  })
}

const skip = process.platform !== 'linux' && 'needs script of util-linux'

test('a person is asked for name and password, and told what will not do', async (t) => {
  const here = place(t)
  const { code, screen } = await converse(here, 'createsuperuser --username alice', [
    [/Password/, `password1${enter}`],
    [/most used/, goodPassword + enter],
    [/again/, `something else${enter}`],
    [/differ/, goodPassword + enter],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /Superuser alice is made/)
  assert.doesNotMatch(screen, /password1|violet|something/)
  assert.equal(json(await here.run('user show alice --json')).superuser, true)
})

test('a person is asked whether they are sure, and no is the answer unless they say yes', {
  skip,
}, async (t) => {
  const here = place(t)
  await here.run('user create bob --no-password')
  const no = await converse(here, 'user delete bob', [[/Delete bob for good/, enter]])
  assert.equal(no.code, 1)
  assert.match(no.screen, /Cancelled; nothing was changed/)
  const interrupted = await converse(here, 'user reset-second-factor bob', [[/Remove all devices/, '\u0003']])
  assert.equal(interrupted.code, 1)
  const yes = await converse(here, 'user delete bob', [[/Delete bob for good/, `y${enter}`]])
  assert.equal(yes.code, 0, yes.screen)
  assert.deepEqual(json(await here.run('user list --json')).users, [])
})

test('the passphrase of a file of tokens is asked for and not shown', { skip }, async (t) => {
  const here = place(t)
  const secret = encryptedSecret(cbc(figure7.encryptedSecret), figure7.valueMac)
  const head = protectedBy(cbc(figure7.encryptedMacKey), { key: derivedKey() })
  writeFileSync(join(here.folder, 'tokens.xml'), container(head, token({ secret })))
  const { code, screen } = await converse(here, 'import pskc tokens.xml --ask-passphrase', [
    [/Passphrase of the file/, figure7.passphrase + enter],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /Made: 1,/)
  assert.equal(screen.includes(figure7.passphrase), false)
  assert.equal(json(await here.run('user show jsmith --json')).devices.length, 1)
})

test('a username is asked for until it is free', { skip }, async (t) => {
  const here = place(t)
  await here.run('user create bob --no-password')
  const erase = '\u007f'.repeat(40)
  const { code, screen } = await converse(here, 'createsuperuser', [
    [/Username/, `${erase}b b${enter}`],
    [/letters, digits/, `${erase}bob${enter}`],
    [/already.*Username/s, `ann${enter}`],
    [/Password/, goodPassword + enter],
    [/again/, goodPassword + enter],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /Superuser ann is made/)
})
