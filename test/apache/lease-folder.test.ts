import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { openLeaseFolder, revokeLeases } from '../../src/apache/leases/folder.ts'
import { newId } from '../../src/crypto/random.ts'
import type { UserId } from '../../src/domain/user.ts'

const root = mkdtempSync(join(tmpdir(), 'ww-folder-'))
after(() => rmSync(root, { recursive: true, force: true }))

let made = 0
const fresh = (): string => {
  const folder = join(root, `case${made++}`)
  mkdirSync(folder)
  return folder
}
const user = 'u1' as UserId

describe('the folder of leases', () => {
  it('is emptied at the start, whatever was left in it', () => {
    const path = join(fresh(), 'leases')
    const first = openLeaseFolder(path, newId)
    assert.ok(first.prepare(user, 'x').publish({ policy: 'p', userId: user, name: 'n' }))
    first.prepare(user, 'x')
    assert.ok(existsSync(join(path, 'policies/p/n')))
    openLeaseFolder(path, newId)
    assert.deepEqual(readdirSync(path, { recursive: true }).toSorted(), ['gone', 'policies', 'users'])
    chmodSync(path, 0o700)
    openLeaseFolder(path, newId)
    assert.equal(statSync(path).mode & 0o777, 0o711)
  })

  it('is emptied while another process leases in it, as often as it is asked', async (t) => {
    const path = join(fresh(), 'leases')
    const folder = openLeaseFolder(path, newId)
    const other = new Worker(new URL('../support/leasing.ts', import.meta.url), { workerData: { path } })
    t.after(() => other.terminate())
    let leased = 0
    other.on('message', () => leased++)
    const failed = once(other, 'error').then(([error]) => Promise.reject(error))
    for (let cleared = 0; cleared < 40; cleared++) {
      const before = leased
      while (leased === before) await Promise.race([delay(1), failed])
      folder.clear()
    }
    assert.deepEqual(readdirSync(join(path, 'gone')), [])
  })

  const untrusted: readonly (readonly [string, (folder: string) => string, RegExp])[] = [
    ['its parent is missing', (folder) => join(folder, 'missing', 'leases'), /ENOENT/],
    [
      'it is a link',
      (folder) => {
        mkdirSync(join(folder, 'real'))
        symlinkSync('real', join(folder, 'leases'))
        return join(folder, 'leases')
      },
      /a link leads there/,
    ],
    [
      'a link leads to it',
      (folder) => {
        mkdirSync(join(folder, 'real'))
        symlinkSync('real', join(folder, 'link'))
        return join(folder, 'link', 'leases')
      },
      /a link leads there/,
    ],
    [
      'there is something else in it, which would be lost',
      (folder) => {
        writeFileSync(join(folder, 'watchword.sqlite3'), '')
        return folder
      },
      /there is something else in it, watchword.sqlite3/,
    ],
    [
      'it is a file',
      (folder) => {
        writeFileSync(join(folder, 'leases'), '')
        return join(folder, 'leases')
      },
      /cannot be used/,
    ],
    [
      'others may write to it',
      (folder) => {
        mkdirSync(join(folder, 'leases'))
        chmodSync(join(folder, 'leases'), 0o1777)
        return join(folder, 'leases')
      },
      /others may write to .*leases/,
    ],
    [
      'others may put another in its place',
      (folder) => {
        chmodSync(folder, 0o770)
        return join(folder, 'leases')
      },
      /others may write to .*case/,
    ],
    [
      'it belongs to somebody else',
      (folder) => {
        mkdirSync(join(folder, 'leases'))
        chownSync(join(folder, 'leases'), 65_534, 65_534)
        return join(folder, 'leases')
      },
      /belongs to somebody else/,
    ],
  ]
  for (const [what, make, message] of untrusted) {
    // Only root can give a folder away.
    if (what.includes('belongs') && process.getuid?.() !== 0) continue
    it(`is refused where ${what}`, () => {
      const path = make(fresh())
      assert.throws(() => openLeaseFolder(path, newId), { name: 'LeaseFolderError', message })
    })
  }

  it('takes no name that leads elsewhere', () => {
    const path = join(fresh(), 'leases')
    const folder = openLeaseFolder(path, newId)
    for (const name of ['..', '../x', 'a/b', '', '.x', 'a\0b']) {
      assert.throws(() => folder.prepare(name as UserId, 'x'), name)
      assert.throws(() => folder.prepare(user, 'x').publish({ policy: name, userId: user, name: 'n' }), name)
      assert.throws(() => folder.prepare(user, 'x').publish({ policy: 'p', userId: user, name }), name)
      assert.throws(() => revokeLeases(path, [name as UserId], newId), name)
    }
  })

  it('may be missing where somebody revokes, and where it fails it says that a lease may be left', () => {
    revokeLeases(join(root, 'never'), [user], newId)
    const path = join(fresh(), 'leases')
    openLeaseFolder(path, newId).prepare(user, 'x')
    rmSync(join(path, 'gone'), { recursive: true })
    writeFileSync(join(path, 'gone'), '')
    assert.throws(() => revokeLeases(path, ['u0' as UserId, user], newId), {
      name: 'LeaseFolderError',
      message: /The change is stored, but Apache may admit by a lease for a minute more/,
    })
    rmSync(join(path, 'gone'))
    assert.throws(() => revokeLeases(path, [user], newId), { name: 'LeaseFolderError' })
  })
})
