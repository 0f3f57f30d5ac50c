import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { addKey, createKeyFile, KeyFileError, readKeyFile, removeKeys } from '../../src/crypto/key-file.ts'
import { newFolder, newKeyPath } from './key-folder.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777
const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 })

describe('a new key file', () => {
  it('may be read by its owner alone, and so its folder, whatever the umask', (t) => {
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const path = join(newFolder(t), 'new', 'keys.json')
    createKeyFile(path)
    assert.equal(modeOf(path), 0o600)
    assert.equal(modeOf(dirname(path)), 0o700)
  })

  it('has one key and a name key of 32 bytes, different from each other and from any other file', (t) => {
    const files = [createKeyFile(newKeyPath(t)), createKeyFile(newKeyPath(t))]
    const keys = files.flatMap((file) => [...file.keys.values(), file.nameKey])
    assert.deepEqual(
      keys.map((key) => key.length),
      [32, 32, 32, 32],
    )
    assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 4)
    for (const file of files) assert.deepEqual([...file.keys.keys()], [file.currentKeyId])
  })

  it('reads back as what was made', (t) => {
    const path = newKeyPath(t)
    const made = createKeyFile(path)
    assert.deepEqual(readKeyFile(path), made)
  })

  it('never takes the place of a file that is there, not even of a damaged one', (t) => {
    const path = newKeyPath(t)
    createKeyFile(path)
    const text = readFileSync(path, 'utf8')
    assert.deepEqual(createKeyFile(path), readKeyFile(path))
    assert.equal(readFileSync(path, 'utf8'), text)
    const damaged = newKeyPath(t)
    write(damaged, '')
    assert.throws(() => createKeyFile(damaged), { name: 'KeyFileError', message: /damaged/ })
    assert.equal(readFileSync(damaged, 'utf8'), '')
    for (const each of [path, damaged]) assert.deepEqual(readdirSync(dirname(each)), ['keys.json'])
  })
})

describe('reading a key file', () => {
  it('gives nothing when there is none', (t) => {
    assert.equal(readKeyFile(newKeyPath(t)), undefined)
  })

  it('is refused when group or others may do anything with it, and the remedy is named', (t) => {
    const path = newKeyPath(t)
    createKeyFile(path)
    for (let mode = 0o601; mode <= 0o677; mode++) {
      chmodSync(path, mode)
      assert.throws(
        () => readKeyFile(path),
        { name: 'KeyFileError', message: new RegExp(`Run: chmod 600 ${path}$`) },
        mode.toString(8),
      )
    }
    for (const mode of [0o600, 0o400]) {
      chmodSync(path, mode)
      assert.ok(readKeyFile(path), mode.toString(8))
    }
  })

  it('is refused when its bytes cannot be had, and the remedy is named', (t) => {
    const path = newKeyPath(t)
    mkdirSync(path, { mode: 0o700 })
    assert.throws(() => readKeyFile(path), { name: 'KeyFileError', message: /chown/ })
  })

  it('is refused wherever the file was cut off, without quoting a byte of it', (t) => {
    const path = newKeyPath(t)
    createKeyFile(path)
    const text = readFileSync(path, 'utf8').trimEnd()
    const expected = new KeyFileError(
      `${path} is not a key file of Watchword, or is damaged. Restore it from backup.`,
    )
    for (let length = 0; length < text.length; length++) {
      write(path, text.slice(0, length))
      assert.throws(() => readKeyFile(path), expected, `${length} characters`)
    }
    write(path, text)
    assert.ok(readKeyFile(path))
  })

  it('does not give away a key that stands in a damaged file, not even as the cause', (t) => {
    const path = newKeyPath(t)
    const key = Buffer.alloc(32, 'K').toString('base64')
    for (const text of [key, `{"keys":{"a":"${key}"`, `"${key}"`, `{"format":"${key}"}`]) {
      write(path, text)
      assert.throws(
        () => readKeyFile(path),
        (error) => {
          assert.ok(error instanceof KeyFileError)
          assert.equal(error.cause, undefined)
          assert.ok(!`${error.message}${error.stack}`.includes(key.slice(0, 8)))
          return true
        },
      )
    }
  })

  const key = Buffer.alloc(32, 1).toString('base64')
  const good = { format: 'watchword-keys-1', current: 'a', keys: { a: key }, name_key: key }
  const damages: Record<string, unknown> = {
    'is no object': null,
    'is a number': 1,
    'is a list': [good],
    'is of another format': { ...good, format: 'watchword-keys-2' },
    'has no format': { ...good, format: undefined },
    'has no current key': { ...good, current: undefined },
    'has a number for the current key': { ...good, current: 0 },
    'lacks the key that is current': { ...good, current: 'b' },
    'names an inherited property as current': { ...good, current: 'toString' },
    'has no keys': { ...good, keys: undefined },
    'has nothing for keys': { ...good, keys: null },
    'has an empty set of keys': { ...good, keys: {} },
    'has a key that is too short': { ...good, keys: { a: Buffer.alloc(31).toString('base64') } },
    'has a key that is too long': { ...good, keys: { a: Buffer.alloc(33).toString('base64') } },
    'has a key that is no text': { ...good, keys: { a: 7 } },
    'has an older key that is damaged': { ...good, keys: { a: key, b: '' } },
    'has no name key': { ...good, name_key: undefined },
    'has a name key that is too short': { ...good, name_key: 'AAAA' },
  }
  for (const [what, json] of Object.entries(damages)) {
    it(`is refused when it ${what}`, (t) => {
      const path = newKeyPath(t)
      write(path, JSON.stringify(json))
      assert.throws(() => readKeyFile(path), { name: 'KeyFileError', message: /damaged/ })
      write(path, JSON.stringify(good))
      assert.equal(readKeyFile(path)?.currentKeyId, 'a')
    })
  }
})

describe('rotating keys (SEC-CRY-1)', () => {
  it('adds a key, makes it current and keeps all others and the name key', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const second = addKey(first)
    const third = addKey(second)
    assert.equal(new Set([first, second, third].map((file) => file.currentKeyId)).size, 3)
    assert.deepEqual(
      [...third.keys.keys()].sort(),
      [...new Set([...second.keys.keys(), third.currentKeyId])].sort(),
    )
    for (const file of [first, second]) {
      for (const [id, key] of file.keys) assert.deepEqual(third.keys.get(id), key)
    }
    assert.deepEqual(third.nameKey, first.nameKey)
    assert.deepEqual(readKeyFile(path), third)
    assert.notEqual(first.version, second.version)
  })

  it('leaves one file, for its owner alone, even where the umask is open', (t) => {
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const path = newKeyPath(t)
    const rotated = addKey(createKeyFile(path))
    removeKeys(rotated, [...rotated.keys.keys()])
    assert.equal(modeOf(path), 0o600)
    assert.deepEqual(readdirSync(dirname(path)), ['keys.json'])
  })

  it('removes what it is asked to, and the current key never', (t) => {
    const path = newKeyPath(t)
    const [first] = [...createKeyFile(path).keys.keys()]
    const rotated = addKey(addKey(readKeyFile(path) ?? assert.fail()))
    assert.equal(rotated.keys.size, 3)
    const without = removeKeys(rotated, [first ?? ''])
    assert.equal(without.keys.size, 2)
    assert.equal(without.keys.has(first ?? ''), false)
    const last = removeKeys(without, [...without.keys.keys(), 'unknown', ''])
    assert.deepEqual([...last.keys], [[rotated.currentKeyId, rotated.keys.get(rotated.currentKeyId)]])
    assert.deepEqual(last.nameKey, rotated.nameKey)
    assert.deepEqual(removeKeys(last, []).keys, last.keys)
  })

  it('is not harmed or held up by what a killed rotation left behind', (t) => {
    const path = newKeyPath(t)
    const first = createKeyFile(path)
    const leftovers = [`${path}.${process.pid}.new`, `${path}.${process.pid + 1}.new`]
    for (const leftover of leftovers) writeFileSync(leftover, '{"format": "watchw', { mode: 0o644 })
    assert.deepEqual(readKeyFile(path), first)
    const second = addKey(first)
    assert.equal(second.keys.size, 2)
    assert.deepEqual(readKeyFile(path), second)
    assert.equal(modeOf(path), 0o600)
    // They may hold keys that are removed later.
    assert.deepEqual(readdirSync(dirname(path)), ['keys.json'])
    assert.equal(addKey(second).keys.size, 3)
  })
})
