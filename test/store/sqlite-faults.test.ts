import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { injectFaults } from '../support/io-faults.ts'

const folder = mkdtempSync(join(tmpdir(), 'watchword-sqlite-faults-'))
after(() => rmSync(folder, { recursive: true }))

/** Another process that has the database open by the program's own driver and writes what it is told. */
async function openElsewhere(path: string) {
  const child = fork(join(import.meta.dirname, '../support/sqlite-writer.ts'), [path])
  await once(child, 'message')
  return {
    pid: child.pid ?? 0,
    /** Whether it says that the text is stored. */
    async write(text: string): Promise<boolean> {
      child.send(text)
      const [isStored] = await once(child, 'message')
      return isStored === true
    },
    async end() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

describe('the SQLite driver when a lock cannot be taken or given back (FT-IO-1, I7)', () => {
  it('writes again once the file can be locked, and keeps what it said was stored', async (t) => {
    const path = join(folder, 'locks.sqlite')
    const writer = await openElsewhere(path)
    t.after(() => writer.end())
    const stored: string[] = []
    const note = async (text: string) => {
      const isStored = await writer.write(text)
      if (isStored) stored.push(text)
      return isStored
    }
    let failed = 0
    // A write takes and gives back locks by seven calls. After one of them SQLite itself tries for ten seconds.
    for (let when = 1; when <= 7; when++) {
      const injection = await injectFaults(writer.pid, { call: 'fcntl', fault: 'error=EIO', when }, [
        path,
        `${path}-wal`,
        `${path}-shm`,
      ])
      await note(`during ${when}`)
      failed += await injection.end()
      assert.equal(await note(`after ${when}`), true, `after the ${when}th lock failed`)
    }
    assert.ok(failed >= 5, `${failed} failed`)
    const seen = new DatabaseSync(path, { readOnly: true })
    const texts = seen.prepare('select text from note order by id').all()
    seen.close()
    assert.deepEqual(
      texts.map(({ text }) => text),
      stored,
    )
  })
})
