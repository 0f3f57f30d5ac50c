import { type Html, html } from '../html.ts'

/** Numbers to draw, one bar each. */
export interface PlotProps {
  /** Says the gist to whoever cannot see it. */
  readonly label: string
  readonly values: readonly number[]
  readonly tone?: 'good' | 'bad'
}

/** Of the drawing, in units of its own; the page scales it. */
const WIDTH = 300
const HEIGHT = 96
/** What is there is seen, however small beside the largest. */
const SMALLEST = 2

/** Bars from the left to the right, the highest as high as the drawing; colours come from the stylesheet. */
export function plot({ label, values, tone }: PlotProps): Html {
  const most = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length)
  const bars = values.map((value, index) => {
    if (value <= 0) return ''
    const height = Math.max(SMALLEST, (value / most) * HEIGHT)
    const [x, y] = [index * step, HEIGHT - height].map(short)
    return html`<rect x="${x}" y="${y}" width="${short(step * 0.8)}" height="${short(height)}"/>`
  })
  const colour = tone === undefined ? 'bar' : `bar ${tone}`
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT + 1}" role="img" aria-label="${label}"><g class="${colour}">${bars}</g><line x1="0" x2="${WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/></svg>`
}

const short = (value: number): string => String(Math.round(value * 10) / 10)
