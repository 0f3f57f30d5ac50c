import QR from 'qr'

/**
 * Dark on light whatever the page around it, with the quiet zone that scanners need, and without a style
 * attribute, which a content security policy would not let through.
 */
export function qrSvg(text: string): string {
  const svg = QR(text, 'svg', { ecc: 'medium', border: 4 })
  const ground = '<rect width="100%" height="100%" fill="#fff"/>'
  return svg.replace(
    /^<svg ([^>]*)>/,
    `<svg width="240" height="240" shape-rendering="crispEdges" $1>${ground}`,
  )
}
