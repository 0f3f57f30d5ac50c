import type { Spot } from './finding.ts'

/** A line of configuration as Apache takes it: continued ones joined, comments and empty ones left out. */
export interface Line {
  readonly text: string
  readonly at: Spot
}

/** The lines of one file; `\` before the end of a line continues it, in comments too. */
export function linesOf(text: string, file: string): Line[] {
  const lines: Line[] = []
  let begun: { text: string; line: number } | undefined
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const { text: before, line } = begun ?? { text: '', line: index + 1 }
    if (raw.endsWith('\\')) {
      begun = { text: before + raw.slice(0, -1), line }
      continue
    }
    begun = undefined
    const whole = (before + raw).trim()
    if (whole !== '' && !whole.startsWith('#')) lines.push({ text: whole, at: { file, line } })
  }
  return lines
}

/** The words of a line: between blanks, or in quotes, in which a quote may follow a backslash. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  const word = /\s*(?:"((?:\\.|[^"\\])*)"?|'((?:\\.|[^'\\])*)'?|(\S+))/gy
  for (const [, double, single, bare] of text.matchAll(word)) {
    const quoted = double ?? single
    words.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(["'\\])/g, '$1'))
  }
  return words
}
