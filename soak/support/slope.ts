/** How fast values grow, by least squares, with its standard error; `undefined` where there are too few to say. */
export function slopeOf(
  at: readonly number[],
  values: readonly number[],
): { readonly slope: number; readonly error: number } | undefined {
  const many = Math.min(at.length, values.length)
  if (many < 10) return undefined
  const mean = (list: readonly number[]) => list.slice(0, many).reduce((sum, each) => sum + each, 0) / many
  const [middle, height] = [mean(at), mean(values)]
  let [spread, shared] = [0, 0]
  for (let index = 0; index < many; index++) {
    const across = (at[index] ?? 0) - middle
    spread += across ** 2
    shared += across * ((values[index] ?? 0) - height)
  }
  if (spread === 0) return undefined
  const slope = shared / spread
  let rest = 0
  for (let index = 0; index < many; index++) {
    rest += ((values[index] ?? 0) - height - slope * ((at[index] ?? 0) - middle)) ** 2
  }
  return { slope, error: Math.sqrt(rest / (many - 2) / spread) }
}
