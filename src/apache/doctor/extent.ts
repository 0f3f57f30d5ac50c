import type { Section } from './tree.ts'

/** Which paths a section or a rule speaks about. */
export interface Extent {
  /** All of them begin with this; the path itself where `pattern` is absent. */
  readonly prefix: string
  /** For sections that match by an expression or by wildcards. */
  readonly pattern?: RegExp
}

/** All paths. */
export const everything: Extent = { prefix: '/' }

/** What `<Location>`, `<Directory>`, `<Files>` and their Match forms name. */
export function extentOf({ name, words }: Section): Extent {
  const isPattern = name.endsWith('match') || words[0] === '~'
  const given = (words[0] === '~' ? words[1] : words[0]) ?? ''
  if (isPattern) return extentOfPattern(given)
  const wild = /^[^*?[]*/.exec(given)?.[0] ?? ''
  if (wild === given) return { prefix: given }
  const source = given
    .replaceAll(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
  return { prefix: wild === '' ? '/' : wild, pattern: expression(`^${source}`) }
}

/** The paths that an expression may match: those with its plain beginning, or all. */
export function extentOfPattern(source: string): Extent {
  const plain = source.replace(/^\(\?[a-z]+\)/, '')
  const literal = /^\^(\/(?:[\w/-]|\\.)*)/.exec(plain)?.[1]?.replaceAll('\\', '') ?? '/'
  // A sign that may be left out or repeated is no part of the beginning.
  const next = plain.replace(/^\^/, '').replaceAll('\\', '')[literal.length]
  const prefix = next !== undefined && '?*{'.includes(next) ? literal.slice(0, -1) : literal
  const hasAlternatives = /^[^()]*\|/.test(plain)
  return { prefix: hasAlternatives ? '/' : prefix, pattern: expression(source) }
}

/** What Apache's expressions and those of this language share; what cannot be read matches everything. */
function expression(source: string): RegExp {
  const [, flags = '', rest = source] = /^\(\?([a-z]+)\)(.*)$/s.exec(source) ?? []
  try {
    return new RegExp(rest, flags.includes('i') ? 'i' : '')
  } catch {
    return /(?:)/
  }
}

/** Whether a path is the place or in it, by whole segments. */
export function isUnder(path: string, place: string): boolean {
  const whole = place.replace(/\/+$/, '')
  return path === whole || path.startsWith(`${whole}/`)
}

/** Whether some path may be in both. */
export function overlap(one: Extent, other: Extent): boolean {
  if (!isUnder(one.prefix, other.prefix) && !isUnder(other.prefix, one.prefix)) {
    // An expression may go on in the middle of a segment.
    const [short, long] = one.prefix.length < other.prefix.length ? [one, other] : [other, one]
    if (short.pattern === undefined || !long.prefix.startsWith(short.prefix)) return false
  }
  if (one.pattern === undefined || other.pattern !== undefined) {
    return other.pattern === undefined || one.pattern !== undefined || mayMatch(other, one)
  }
  return mayMatch(one, other)
}

/** An expression against a plain path: the path, or what it may have below, or the expression names what is below. */
function mayMatch({ pattern, prefix }: Extent, plain: Extent): boolean {
  if (pattern === undefined || isUnder(prefix, plain.prefix)) return true
  const folder = plain.prefix.replace(/\/+$/, '')
  return (
    [plain.prefix, `${folder}/`, `${folder}/x`, `${folder}/x/y`].some((path) => pattern.test(path)) ||
    !pattern.source.startsWith('^')
  )
}

/** Whether all that `inner` names is in `outer`. */
export function covers(outer: Extent, inner: Extent): boolean {
  if (outer.pattern === undefined) return isUnder(inner.prefix, outer.prefix)
  const folder = inner.prefix.replace(/\/+$/, '')
  return [inner.prefix, `${folder}/`, `${folder}/Ww1`, `${folder}/Ww1/y.z`].every((path) =>
    outer.pattern?.test(path),
  )
}
