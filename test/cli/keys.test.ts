import assert from 'node:assert/strict'
import { chmodSync, chownSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { addKey, createKeyFile, readKeyFile } from '../../src/crypto/key-file.ts'
import { done, json, refused } from './expect.ts'
import { type Place, place } from './watchword.ts'

const stdin = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

async function withTokens({ run }: Place): Promise<void> {
  await run('user create bob --no-password')
  await run('user add-token bob --totp --name one --key-stdin', { stdin })
  await run('user add-token bob --hotp --name two --key-stdin', { stdin })
}

function fileOf({ keyFile }: Place) {
  const file = readKeyFile(keyFile)
  assert.ok(file)
  return file
}

// Each test has a folder of its own, and most of its time is the start of processes.
describe('keys', { concurrency: 2 }, () => {
  test('keys are rotated, checked and pruned, and nothing of them is shown', async (t) => {
    const here = place(t)
    await withTokens(here)
    const before = fileOf(here).currentKeyId
    const rotated = await here.run('keys rotate')
    done(rotated, /is new.*anew with it: 2/)
    const after = fileOf(here).currentKeyId
    assert.notEqual(after, before)

    const checked = await here.run('keys check --json')
    assert.deepEqual(json(checked), {
      keys: [
        { id: after, state: 'current', sealed: 2 },
        { id: before, state: 'older', sealed: 0 },
      ],
      unopenable: [],
      unopenable_signing_keys: [],
    })
    const table = await here.run('keys check')
    done(table, /Every secret opens/)
    const pruned = await here.run('keys prune')
    done(pruned, new RegExp(`Removed: ${before}`))
    done(await here.run('keys prune'), /no key that nothing is sealed with/)
    assert.deepEqual([...fileOf(here).keys.keys()], [after])
    done(await here.run('keys check'), /Every secret opens/)

    const { keys } = JSON.parse(readFileSync(here.keyFile, 'utf8'))
    const { stdout: audit } = await here.run('audit export')
    assert.match(audit, /keys-rotated.*\n.*keys-pruned/)
    for (const text of [rotated.stdout, checked.stdout, table.stdout, pruned.stdout, audit]) {
      for (const key of Object.values<string>(keys)) assert.ok(!text.includes(key))
    }
  })

  test('a rotation that was stopped is finished by the next one, without a further key', async (t) => {
    const here = place(t)
    await withTokens(here)
    // Killed after the key was added, before anything was sealed with it.
    const { currentKeyId } = addKey(fileOf(here))
    done(await here.run('keys rotate'), /finished now.*: 2/)
    assert.equal(fileOf(here).currentKeyId, currentKeyId)
    assert.equal(fileOf(here).keys.size, 2)
    done(await here.run('keys rotate'), /is new/)
    assert.equal(fileOf(here).keys.size, 3)
  })

  test('a key that something is sealed with is not pruned', async (t) => {
    const here = place(t)
    await withTokens(here)
    addKey(fileOf(here))
    done(await here.run('keys prune'), /no key that nothing/)
    assert.equal(fileOf(here).keys.size, 2)
    done(await here.run('keys check'), /older +2/)
  })

  test('two rotations at once lose no key', async (t) => {
    const here = place(t)
    await withTokens(here)
    const runs = await Promise.all(Array.from({ length: 4 }, () => here.run('keys rotate')))
    for (const ran of runs) done(ran)
    done(await here.run('keys check'), /Every secret opens/)
  })

  test('keys of assertions are rotated, once until applications know the new one, or at once, and none is shown', async (t) => {
    const here = place(t)
    const rotated = await here.run('keys rotate-signing')
    // The first one has nobody to wait for.
    done(rotated, /^Key [\w-]{43} is published and signs from .*Z on\.$/m)
    const second = await here.run('keys rotate-signing')
    done(second, /is published and signs from/)
    refused(await here.run('keys rotate-signing'), /published already.*--at-once/)
    const atOnce = await here.run('keys rotate-signing --at-once --yes')
    done(atOnce, /signs from now on.*within 30 seconds/)
    const kept = () => here.withDatabase((db) => db.prepare('SELECT id, sealed_key FROM signing_key').all())
    assert.deepEqual(
      kept().map(({ id }) => id),
      [/Key ([\w-]+)/.exec(atOnce.stdout)?.[1]],
    )
    done(await here.run('keys rotate'), /anew with it: 1/)
    const { stdout: audit } = await here.run('audit export')
    for (const { sealed_key } of kept()) {
      for (const text of [rotated.stdout, second.stdout, atOnce.stdout, audit]) {
        assert.ok(!text.includes(String(sealed_key)))
      }
    }
    here.withDatabase((db) => db.exec("UPDATE signing_key SET sealed_key = sealed_key || 'A'"))
    const checked = await here.run('keys check')
    assert.equal(checked.code, 1)
    assert.match(checked.stderr, /Restore the key file/)
    assert.match(checked.stdout, /These keys of assertions do not open: .*\n.*rotate-signing --at-once/)
    done(await here.run('keys rotate-signing --at-once'))
    done(await here.run('keys check'), /Every secret opens/)
  })

  test('a key file that is missing, or of another database, is refused with the remedy', async (t) => {
    const here = place(t)
    await withTokens(here)
    rmSync(here.keyFile)
    refused(await here.run('user list'), /is missing, and the database holds secrets.*Restore it from backup/)
    createKeyFile(here.keyFile)
    refused(await here.run('user list'), /does not belong to this database/)
  })

  test('without the key that sealed them nothing opens: the check says whose, and rotation refuses', async (t) => {
    const here = place(t)
    await withTokens(here)
    const file = JSON.parse(readFileSync(here.keyFile, 'utf8'))
    const another = { current: 'other', keys: { other: Buffer.alloc(32, 1).toString('base64') } }
    writeFileSync(here.keyFile, JSON.stringify({ ...file, ...another }))
    const checked = await here.run('keys check')
    assert.equal(checked.code, 1)
    assert.match(checked.stdout, /missing +2/)
    assert.match(checked.stdout, /bob +one/)
    assert.match(checked.stderr, /reset-second-factor/)
    const report = await here.run('keys check --json')
    assert.equal(report.code, 1)
    assert.equal(json(report).unopenable[1].username, 'bob')
    refused(await here.run('keys rotate'), /do not open.*nothing was changed/)
    assert.equal(fileOf(here).keys.size, 1)
  })

  test('a key file that others may read, or that is no key file, is refused with the remedy', async (t) => {
    const here = place(t)
    await here.run('user list')
    chmodSync(here.keyFile, 0o644)
    refused(await here.run('user list'), new RegExp(`chmod 600 ${here.keyFile}`))
    chmodSync(here.keyFile, 0o600)
    renameSync(here.keyFile, `${here.keyFile}.kept`)
    const place2 = { ...here.env, WATCHWORD_KEY_FILE: here.databaseFile }
    chmodSync(here.databaseFile, 0o600)
    refused(await here.run('user list', { env: place2 }), /not a key file/)
  })

  test('root does not replace the key file of the user that runs the server', {
    skip: process.getuid?.() !== 0,
  }, async (t) => {
    const here = place(t)
    await withTokens(here)
    chownSync(here.keyFile, 12345, 12345)
    refused(await here.run('keys rotate'), /belongs to the user with the number 12345.*sudo -u/)
    assert.equal(fileOf(here).keys.size, 1)
  })
})
