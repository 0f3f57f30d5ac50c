import { isMet, type Line } from './line.ts'

/** Prints one line of the table, with the figures behind it below. */
export function print(line: Line): void {
  const { what, measured, target, must, digits, unit, behind } = line
  const figure = (value: number) => `${value.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`
  const sign = must === 'be at least' ? '≥' : '≤'
  const shown = `${figure(measured).padStart(9)}  ${sign} ${figure(target).padEnd(8)}`
  console.log(`${isMet(line) ? '✔' : '✖'} ${shown} ${what}`)
  console.log(`${' '.repeat(25)}${behind.join('; ')}`)
}
