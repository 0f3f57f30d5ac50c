import QR from 'qr'

/** Modules of quiet zone on each side, which scanners need (ISO/IEC 18004 §6.3.8). */
const QUIET = 4

/**
 * A QR code as SVG, 240 px wide: dark on light whatever the page around it, and without a style attribute, which a
 * content security policy would not let through.
 *
 * Each row is drawn as strokes from run to run, a third of the bytes of a shape for each dark module.
 */
export function qrSvg(text: string): string {
  const rows = QR(text, 'raw', { ecc: 'medium', border: QUIET })
  const path = rows.map((row, y) => strokes(row, y)).join('')
  const size = rows.length
  return `<svg width="240" height="240" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" xmlns="http://www.w3.org/2000/svg"><rect width="100%" height="100%" fill="#fff"/><path d="${path}" stroke="#000"/></svg>`
}

/** The runs of dark modules of a row, as strokes through its middle. */
function strokes(row: readonly boolean[], y: number): string {
  let path = ''
  let end: number | undefined
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue
    const begin = x
    while (row[x + 1] === true) x++
    path += end === undefined ? `M${begin} ${y}.5` : `m${begin - end} 0`
    end = x + 1
    path += `h${end - begin}`
  }
  return path
}
