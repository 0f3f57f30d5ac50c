/** Finds which of many texts, of three bytes or more each, are in a text; in one pass, whatever their number. */
export function searchFor(wanted: Iterable<string>): (text: string) => string[] {
  const isHead = new Uint8Array(1 << 24)
  const byHead = new Map<number, { readonly text: string; readonly bytes: Buffer }[]>()
  for (const text of wanted) {
    const bytes = Buffer.from(text, 'latin1')
    if (bytes.length < 3) throw new RangeError('What is looked for has three bytes at least.')
    const head = bytes.readUIntBE(0, 3)
    isHead[head] = 1
    byHead.set(head, [...(byHead.get(head) ?? []), { text, bytes }])
  }
  return (text) => {
    const all = Buffer.from(text, 'latin1')
    const found = new Set<string>()
    let head = 0
    for (let end = 0; end < all.length; end++) {
      head = ((head << 8) | (all[end] ?? 0)) & 0xffffff
      if (end < 2 || isHead[head] === 0) continue
      for (const each of byHead.get(head) ?? []) {
        if (
          all.compare(
            each.bytes,
            0,
            each.bytes.length,
            end - 2,
            Math.min(end - 2 + each.bytes.length, all.length),
          ) === 0
        )
          found.add(each.text)
      }
    }
    return [...found]
  }
}
