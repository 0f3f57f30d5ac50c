import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import QR from 'qr'
import { qrSvg } from '../../src/http/qr-svg.ts'

/** What ISO/IEC 18004 §6.3.8 leaves empty on each side. */
const QUIET = 4

const texts = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }),
  fc.base64String({ minLength: 1, maxLength: 200 }).map((secret) => `otpauth://totp/x:y?secret=${secret}`),
)

it('a QR code shows the modules of the encoder, in a quiet zone, without a style attribute', () => {
  const drawAndRead = (text: string) => {
    const svg = qrSvg(text)
    // The encoder leaves one module empty at least.
    const modules = QR(text, 'raw', { ecc: 'medium', border: 1 })
      .map((row) => row.slice(1, -1))
      .slice(1, -1)
    const drawn = modulesIn(svg)
    assert.equal(drawn.length, modules.length + 2 * QUIET)
    assert.deepEqual(
      drawn.slice(QUIET, -QUIET).map((row) => row.slice(QUIET, -QUIET)),
      modules,
    )
    const dark = (rows: readonly (readonly boolean[])[]) => rows.flat().filter(Boolean).length
    assert.equal(dark(drawn), dark(modules))
    assert.doesNotMatch(svg, /style/)
  }
  fc.assert(fc.property(texts, drawAndRead), { numRuns: 50 })
})

/** The modules that a picture shows: its path is made of strokes of width one through the middles of rows. */
function modulesIn(svg: string): boolean[][] {
  const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
  assert.equal(width, height)
  const [, path = ''] = /<path d="([^"]*)" stroke="#000"\/>/.exec(svg) ?? []
  const rows = Array.from({ length: Number(height) }, () => new Array<boolean>(Number(width)).fill(false))
  let [x, y] = [0, 0]
  let read = 0
  for (const [command, kind, first = '', second] of path.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
    read += command.length
    if (kind === 'M') [x, y] = [Number(first), Number(second)]
    else if (kind === 'm') [x, y] = [x + Number(first), y + Number(second)]
    else {
      const row = rows[y - 0.5]
      assert.ok(row, `a stroke at ${y} goes through the middle of no row`)
      for (const end = x + Number(first); x < end; x++) {
        assert.equal(row[x], false, `the module at ${x}, ${y} is there and drawn once`)
        row[x] = true
      }
    }
  }
  assert.equal(read, path.length, 'the path has other commands too')
  return rows
}
