import { once } from 'node:events'
import { ExitCode } from './exit-code.ts'
import { visible, visibleJson } from './visible.ts'

// Whoever read the output is gone (`… | head`): there is nobody left to tell anything.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.refused)
  throw error
})

/** Prints lines for a person. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''))
}

/** Prints what goes beside the output, and must not be in it when it is piped on. */
export function printAside(...lines: readonly string[]): void {
  process.stderr.write(lines.map((line) => `${visible(line)}\n`).join(''))
}

/** Says why something is not done, for a command to end with. */
export function refuse(sentence: string): ExitCode {
  printAside(sentence)
  return ExitCode.refused
}

/** Says what was done, for a command to end with. */
export function done(...lines: readonly string[]): ExitCode {
  print(...lines)
  return ExitCode.done
}

/** Prints a value for a program. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(value, 2)}\n`)
}

/** Prints values for a program, one a line, no faster than they are read. */
export async function printJsonLines(values: readonly unknown[]): Promise<void> {
  await printLines(values.map((value) => visibleJson(value)))
}

/** Prints lines as they are, no faster than they are read. */
export async function printLines(lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join('')
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** Prints rows in columns. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [headings, ...rows].map((row) => row.map(visible))
  const widths = headings.map((_, column) => Math.max(...table.map((row) => lengthOf(row[column] ?? ''))))
  for (const row of table) {
    const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - lengthOf(cell)))
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
}

/** Prints names and values, one a line. */
export function printFacts(facts: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length))
  print(...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`))
}

const lengthOf = (text: string): number => [...text].length
