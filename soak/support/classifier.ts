/** How well two sets of measured values can be told apart. */
export interface Distance {
  /** The chance that a value of the first is above one of the second, ties counted half: 0.5 where nothing can be told. */
  readonly auc: number
  /** What chance alone moves that by: one standard error, where both are the same. */
  readonly error: number
  /** The median of the differences of values that were taken beside each other, the first less the second. */
  readonly difference: number
}

/** By ranks (Mann and Whitney), so that a few values that took long for other reasons count as no more than a few. */
export function distanceOf(first: readonly number[], second: readonly number[]): Distance {
  const all = [
    ...first.map((value) => ({ value, own: true })),
    ...second.map((value) => ({ value, own: false })),
  ]
  all.sort((a, b) => a.value - b.value)
  let ranks = 0
  for (let at = 0; at < all.length; ) {
    let end = at
    while (end < all.length && all[end]?.value === all[at]?.value) end++
    const middle = (at + 1 + end) / 2
    for (; at < end; at++) if (all[at]?.own === true) ranks += middle
  }
  const [n, m] = [first.length, second.length]
  const pairs = Math.min(n, m)
  const differences = Array.from({ length: pairs }, (_, at) => (first[at] ?? 0) - (second[at] ?? 0))
  return {
    auc: (ranks - (n * (n + 1)) / 2) / (n * m),
    error: Math.sqrt((n + m + 1) / (12 * n * m)),
    difference: medianOf(differences),
  }
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 0 ? half - 1 : half] ?? 0, sorted[half] ?? 0]
  return (low + high) / 2
}

/** What chance alone may do: so many standard errors once in thirty thousand comparisons. */
export const CHANCE = 4
