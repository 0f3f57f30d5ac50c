import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { done, json, refused } from './expect.ts'
import { goodPassword, place } from './watchword.ts'

describe('an invitation from the command line', { concurrency: 2 }, () => {
  test('is a link on standard output, and everything else beside it', async (t) => {
    const { run } = place(t)
    await run('user create bob --no-password')
    const invited = await run('user invite bob')
    assert.equal(invited.code, 0)
    assert.match(invited.stdout, /^http:\/\/127\.0\.0\.1:8000\/invite#[\w-]{43}\n$/)
    assert.match(invited.stderr, /bob chooses a password.*once, for 24 hours/)
    const asJson = json(await run('user invite BOB --json'))
    assert.deepEqual(Object.keys(asJson), ['username', 'invitation_link', 'expires_in'])
    assert.equal(asJson.username, 'bob')
    assert.notEqual(`${asJson.invitation_link}\n`, invited.stdout)
    const log = await run('audit list --event invitation-made')
    done(log, /invitation-made/)
    assert.doesNotMatch(log.stdout, /#/)
  })

  test('is made for a superuser, and for nobody who is disabled or unknown', async (t) => {
    const { run } = place(t)
    await run('createsuperuser --username alice --password-stdin', { stdin: goodPassword })
    assert.match((await run('user invite alice')).stdout, /invite#/)
    await run('user disable alice')
    refused(await run('user invite alice'), /alice is disabled.*watchword user enable alice/)
    refused(await run('user invite nobody'), /no user "nobody"/)
  })
})
