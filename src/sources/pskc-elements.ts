import type { XmlElement } from './xml.ts'

/** The namespace of Portable Symmetric Key Containers (RFC 6030 §4). */
export const pskc = 'urn:ietf:params:xml:ns:keyprov:pskc'

/** What may stand several times beside itself. */
const repeatable = ['KeyUsage', 'Extensions']

/** The child of that name; `undefined` when there is none, or several, of which none is better than the other. */
export function only(parent: XmlElement | undefined, name: string, namespace = pskc): XmlElement | undefined {
  const found = parent?.children.filter((child) => child.name === name && child.namespace === namespace)
  return found?.length === 1 ? found[0] : undefined
}

export const textOf = (element: XmlElement | undefined): string => element?.text.trim() ?? ''

/** Whether something that has one place stands there twice, however deep. */
export function saysTwice({ children }: XmlElement): boolean {
  const names = children
    .filter(({ namespace, name }) => namespace === pskc && !repeatable.includes(name))
    .map(({ name }) => name)
  return new Set(names).size < names.length || children.some(saysTwice)
}
