/** ` Did you mean …?` for the name nearest to a mistyped one, or nothing if none is near. */
export function nearest(mistyped: string, names: Iterable<string>): string {
  let best = { name: '', distance: Math.max(2, Math.floor(mistyped.length / 4)) + 1 }
  for (const name of names) {
    const distance = editDistance(mistyped, name)
    if (distance < best.distance) best = { name, distance }
  }
  return best.name === '' ? ' Remove it.' : ` Did you mean "${best.name}"?`
}

/** Insertions, deletions and replacements that lead from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
