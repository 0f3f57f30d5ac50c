/** Control, format (direction, zero width), unassigned and private characters, and separators of lines. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * A text on one line in which nothing acts on a terminal: what would is shown as `\u{1b}`.
 *
 * User agents, names of devices and mistyped names come from strangers; a terminal would obey the escape
 * sequences in them, and marks of direction would swap what stands where.
 */
export function visible(text: string): string {
  return text.replace(invisible, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`)
}

/** A value as JSON in which nothing acts on a terminal either; it reads back as the same value. */
export function visibleJson(value: unknown, indent?: number): string {
  // JSON leaves C1 controls and marks of direction as they are. Line feeds here are the layout, never the text.
  return JSON.stringify(value, undefined, indent).replace(invisible, (sign) =>
    sign === '\n'
      ? sign
      : Array.from({ length: sign.length }, (_, index) => escaped(sign.charCodeAt(index))).join(''),
  )
}

const escaped = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`
