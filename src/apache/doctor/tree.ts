import type { Spot } from './finding.ts'

/** A line that says one thing. */
export interface Directive {
  readonly kind: 'directive'
  /** In small letters. */
  readonly name: string
  readonly words: readonly string[]
  /** All that follows the name. */
  readonly text: string
  readonly at: Spot
}

/** `<Name words> … </Name>`. */
export interface Section {
  readonly kind: 'section'
  readonly name: string
  readonly words: readonly string[]
  readonly text: string
  readonly at: Spot
  readonly nodes: readonly Node[]
}

/** What stands in a file that is included. */
export interface Included {
  readonly kind: 'included'
  readonly file: string
  /** Of the line that includes it. */
  readonly at: Spot
  readonly nodes: readonly Node[]
}

export type Node = Directive | Section | Included

/** Whether a file is one that `watchword apache install` writes, and which; told by its name. */
export function ownFile(
  file: string,
): { readonly kind: 'place'; readonly policy: string } | { readonly kind: 'secret' | 'server' } | undefined {
  const policy = /\/watchword\/protect-([^/]+)\.conf$/.exec(file)?.[1]
  if (policy !== undefined) return { kind: 'place', policy }
  if (file.endsWith('/watchword/secret.conf')) return { kind: 'secret' }
  return file.endsWith('/watchword-authorizer.conf') ? { kind: 'server' } : undefined
}

/** What stands here, that of included files too, but those of Watchword as one. */
export function* beside(nodes: readonly Node[]): Generator<Node> {
  for (const node of nodes) {
    if (node.kind === 'included' && ownFile(node.file) === undefined) yield* beside(node.nodes)
    else yield node
  }
}

/** The directives that stand here themselves. */
export function directives(nodes: readonly Node[], ...names: readonly string[]): Directive[] {
  return [...beside(nodes)].filter(
    (node): node is Directive =>
      node.kind === 'directive' && (names.length === 0 || names.includes(node.name)),
  )
}

/** The sections that stand here themselves. */
export function sections(nodes: readonly Node[], ...names: readonly string[]): Section[] {
  return [...beside(nodes)].filter(
    (node): node is Section => node.kind === 'section' && (names.length === 0 || names.includes(node.name)),
  )
}

/** All directives, those in sections too, but none in the files of Watchword; no other virtual host is entered. */
export function* deep(nodes: readonly Node[]): Generator<Directive> {
  for (const node of beside(nodes)) {
    if (node.kind === 'directive') yield node
    else if (node.kind === 'section' && node.name !== 'virtualhost') yield* deep(node.nodes)
  }
}

/** The file of a policy that is included here itself, not in a section within. */
export function placesIn(nodes: readonly Node[]): { readonly policy: string; readonly included: Included }[] {
  return [...beside(nodes)].flatMap((node) => {
    const own = node.kind === 'included' ? ownFile(node.file) : undefined
    return node.kind === 'included' && own?.kind === 'place' ? [{ policy: own.policy, included: node }] : []
  })
}
