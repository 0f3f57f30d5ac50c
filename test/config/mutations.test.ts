import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../src/config/config-error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { printSettings, temporaryFolder } from './settings-file.ts'

const oddValues = [
  '',
  '0',
  '-1',
  '1e3',
  '9007199254740993',
  'inf',
  'nan',
  'true',
  '""',
  '"x"',
  '"unix:"',
  '"*"',
  '[]',
  '[[]]',
  '{}',
]
const moreOddValues = [
  '1979-05-27',
  '"\\u0000"',
  "'''",
  '"https://a.example"',
  '["::/0"]',
  '"ﬁ"',
  '{ __proto__ = 1 }',
  '61',
  '300',
]
const oddCharacters = ['"', '=', '[', ']', '.', '\n', '#', '\\', '0', '9', '-', '\0', '\u{1F511}']

/** Numbers that are the same in every run: mulberry32, a generator of 32 bits of state. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

/** The text with one thing wrong, or strange: a value, a line, a key, a character. */
function mutate(text: string, roll: (sides: number) => number): string {
  const lines = text.split('\n')
  const at = roll(lines.length)
  const line = lines[at] ?? ''
  const odd = [...oddValues, ...moreOddValues]
  const position = roll(text.length)
  switch (roll(7)) {
    case 0:
    case 1:
      return lines.with(at, line.replace(/= .*/, `= ${odd[roll(odd.length)]}`)).join('\n')
    case 2:
      return lines.toSpliced(at, 1).join('\n')
    case 3:
      return lines.toSpliced(roll(lines.length), 0, line).join('\n')
    case 4:
      return lines.with(at, line.replace(/^./, oddCharacters[roll(oddCharacters.length)] ?? '')).join('\n')
    case 5:
      return (
        text.slice(0, position) + (oddCharacters[roll(oddCharacters.length)] ?? '') + text.slice(position + 1)
      )
    default:
      return text.slice(0, position) + text.slice(position + 1 + roll(40))
  }
}

test('a damaged file is refused or is a valid one, never anything between (SEC-CFG-4)', (t) => {
  const cwd = temporaryFolder(t)
  const path = join(cwd, 'watchword.toml')
  const sources = { cwd, env: {} }
  const valid = printSettings(loadConfig(sources))
  let refused = 0

  for (let seed = 1; seed <= 500; seed++) {
    const toml = mutate(valid, dice(seed))
    writeFileSync(path, toml)
    try {
      const config = loadConfig(sources)
      // Valid means: what it says can be said again, and means the same.
      writeFileSync(path, printSettings(config))
      assert.deepEqual(loadConfig(sources), config, `seed ${seed}`)
    } catch (error) {
      assert.ok(error instanceof ConfigError, `seed ${seed}: ${error}`)
      for (const problem of error.problems) assert.match(problem, /^\/.*: .*[.?]$/, `seed ${seed}`)
      refused++
    }
  }
  assert.ok(refused > 150 && refused < 450, `${refused} of 500 refused`)
})
