import type { Spot } from './finding.ts'
import { type Line, linesOf, wordsOf } from './lines.ts'
import type { Node } from './tree.ts'

/** What configuration is read from. */
export interface ReadOptions {
  /** The file that Apache begins with. */
  readonly file: string
  /** What relative names start at, until `ServerRoot`. */
  readonly serverRoot: string
  /** `undefined` for what is not there or cannot be read. */
  readonly read: (path: string) => string | undefined
  /** The files that a pattern, or a folder, names; in order. */
  readonly list: (pattern: string) => readonly string[]
  /** Modules as Apache names them (`ssl_module`), those excepted that the configuration loads itself. */
  readonly modules: Iterable<string>
  readonly defines: Iterable<string>
  readonly environment: ReadonlyMap<string, string>
  /** Of Apache: `2.4.62`. */
  readonly version: string
}

/** The configuration in force, as one tree. */
export interface Configuration {
  readonly nodes: readonly Node[]
  /** Every file that was read, with its text. */
  readonly texts: ReadonlyMap<string, string>
  /** What stands in a condition that does not hold. */
  readonly skipped: readonly Line[]
  /** Files that are included if they are there. */
  readonly optional: readonly { readonly at: Spot; readonly pattern: string; readonly found: boolean }[]
  readonly missing: readonly { readonly at: Spot; readonly pattern: string }[]
  readonly modules: ReadonlySet<string>
}

/** How deep files may include each other before it is taken for a circle, as Apache does. */
const DEPTH_MAXIMUM = 64

/** Reads the configuration as Apache does: files in the order of Include, conditions as they hold, variables filled in. */
export function readConfiguration(options: ReadOptions): Configuration {
  const modules = new Set(options.modules)
  const defines = new Map<string, string>([...options.defines].map((given) => asDefine(given)))
  const macros = new Map<
    string,
    { readonly parameters: readonly string[]; readonly lines: readonly Line[] }
  >()
  const texts = new Map<string, string>()
  const [skipped, optional, missing] = [
    [] as Line[],
    [] as { at: Spot; pattern: string; found: boolean }[],
    [] as { at: Spot; pattern: string }[],
  ]
  let root = options.serverRoot

  const text = options.read(options.file)
  if (text === undefined) missing.push({ at: { file: options.file, line: 1 }, pattern: options.file })
  const nodes = text === undefined ? [] : readFile(options.file, text, 0)
  return { nodes, texts, skipped, optional, missing, modules }

  function readFile(file: string, content: string, depth: number): Node[] {
    texts.set(file, content)
    return readLines(linesOf(content, file), depth)
  }

  function readLines(lines: readonly Line[], depth: number): Node[] {
    const found: Node[] = []
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index]
      if (line === undefined) break
      const opened = /^<\s*([A-Za-z]\w*)\s*(.*?)\s*>?\s*$/s.exec(line.text)
      if (opened === null) {
        found.push(...readLine(line, depth))
        continue
      }
      const end = endOf(lines, index, opened[1] ?? '')
      found.push(...readSection(line, [opened[1] ?? '', opened[2] ?? ''], lines.slice(index + 1, end), depth))
      index = end
    }
    return found
  }

  function readSection(
    line: Line,
    [given, raw]: readonly [string, string],
    inner: readonly Line[],
    depth: number,
  ) {
    const name = given.toLowerCase()
    const body = filled(raw)
    const words = wordsOf(body)
    if (name === 'macro') {
      const [macro = '', ...parameters] = words
      macros.set(macro.toLowerCase(), { parameters, lines: inner })
      return []
    }
    const holds = conditionHolds(name, words)
    if (holds === undefined) {
      return [
        { kind: 'section' as const, name, words, text: body, at: line.at, nodes: readLines(inner, depth) },
      ]
    }
    if (holds) return readLines(inner, depth)
    // A host that is not there at all leaves nothing open.
    if (!inner.some((each) => /^<\s*VirtualHost\b/i.test(each.text))) skipped.push(...inner)
    return []
  }

  function readLine(line: Line, depth: number): Node[] {
    const [, given = '', raw = ''] = /^(\S+)\s*(.*)$/s.exec(line.text) ?? []
    const name = given.toLowerCase()
    const body = filled(raw)
    const words = wordsOf(body)
    const [first = '', second = ''] = words
    switch (name) {
      case 'include':
      case 'includeoptional':
        return include(line.at, first, name === 'includeoptional', depth)
      case 'use':
        return use(words, depth)
      case 'define':
        defines.set(first, second)
        return []
      case 'undefine':
        defines.delete(first)
        return []
      case 'loadmodule':
        modules.add(first)
        break
      case 'serverroot':
        root = first
        break
    }
    return [{ kind: 'directive', name, words, text: body, at: line.at }]
  }

  function include(at: Spot, name: string, isOptional: boolean, depth: number): Node[] {
    const pattern = name.startsWith('/') ? name : `${root.replace(/\/$/, '')}/${name}`
    const files = depth > DEPTH_MAXIMUM ? [] : options.list(pattern)
    if (isOptional) optional.push({ at, pattern, found: files.length > 0 })
    else if (files.length === 0 && !/[*?[]/.test(pattern)) missing.push({ at, pattern })
    return files.flatMap((file): Node[] => {
      const content = options.read(file)
      if (content === undefined) {
        missing.push({ at, pattern: file })
        return []
      }
      return [{ kind: 'included', file, at, nodes: readFile(file, content, depth + 1) }]
    })
  }

  /** mod_macro: the lines of the macro with its parameters filled in, longest names first. */
  function use([name = '', ...given]: readonly string[], depth: number): Node[] {
    const macro = macros.get(name.toLowerCase())
    if (macro === undefined || depth > DEPTH_MAXIMUM) return []
    const values = macro.parameters
      .map((parameter, index) => [parameter, given[index] ?? ''] as const)
      .toSorted(([one], [other]) => other.length - one.length)
    const lines = macro.lines.map(({ text: plain, at }) => ({
      at,
      text: values.reduce((so, [parameter, value]) => so.replaceAll(parameter, value), plain),
    }))
    return readLines(lines, depth + 1)
  }

  function filled(text: string): string {
    return text.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      return defines.get(name) ?? options.environment.get(name) ?? whole
    })
  }

  /** `undefined` for a section that is no condition of the start. */
  function conditionHolds(name: string, [first = '', second = '']: readonly string[]): boolean | undefined {
    const not = first.startsWith('!')
    const subject = not ? first.slice(1) : first
    switch (name) {
      case 'ifmodule':
        return hasModule(modules, subject) !== not
      case 'ifdefine':
        return defines.has(subject) !== not
      case 'iffile':
        return options.list(subject.startsWith('/') ? subject : `${root}/${subject}`).length > 0 !== not
      case 'ifversion':
        return versionHolds(options.version, first, second)
      case 'ifdirective':
      case 'ifsection':
        // What is known by name is so by a module that is there; such conditions guard new directives.
        return !not
      default:
        return undefined
    }
  }
}

/** The index of the line that ends the section, or that after the last. */
function endOf(lines: readonly Line[], begin: number, name: string): number {
  const opening = new RegExp(`^<\\s*${name}(?![\\w])`, 'i')
  const closing = new RegExp(`^</\\s*${name}\\s*>`, 'i')
  let depth = 0
  for (let index = begin; index < lines.length; index++) {
    const { text = '' } = lines[index] ?? {}
    if (opening.test(text)) depth++
    if (closing.test(text)) depth--
    if (depth === 0) return index
  }
  return lines.length
}

function asDefine(given: string): [string, string] {
  const [name = '', ...value] = given.split('=')
  return [name, value.join('=')]
}

/** By the name of the module or by that of its source, as `<IfModule>` takes them. */
function hasModule(modules: ReadonlySet<string>, subject: string): boolean {
  if (modules.has(subject)) return true
  const source = /^(?:mod_)?(.+)\.c$/.exec(subject)?.[1]
  if (source === undefined) return false
  return [`${source}_module`, `mpm_${source}_module`, source].some((name) => modules.has(name))
}

/** `<IfVersion >= 2.4.7>`, or a version alone, which is to be the same. */
function versionHolds(version: string, first: string, second: string): boolean {
  const [operator, wanted] = second === '' ? ['=', first] : [first, second]
  const isNot = operator.startsWith('!')
  if (operator.endsWith('~') || wanted.startsWith('/')) return true
  const difference = compareVersions(version, wanted)
  switch (operator.replace('!', '')) {
    case '>':
      return difference > 0 !== isNot
    case '>=':
      return difference >= 0 !== isNot
    case '<':
      return difference < 0 !== isNot
    case '<=':
      return difference <= 0 !== isNot
    default:
      return (difference === 0) !== isNot
  }
}

function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [one, other].map((version) => version.split('.').map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (ours?.[index] ?? 0) - (theirs?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
