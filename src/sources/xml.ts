import { SaxesParser } from 'saxes'
import { chunksOf } from './lines.ts'
import { SourceError } from './source-error.ts'

/** An element of XML, with the text that stands directly in it. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  readonly namespace: string
  /** Those without a prefix. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** Far more than any file of keys needs; who makes more of it means harm or has another file. */
const most = { bytes: 16 << 20, depth: 32, elementsOfChild: 1000, attributesOfElement: 32 } as const

/**
 * The root of an XML file, without what is in it, and then each of its children as it ends.
 *
 * Text is UTF-8. A DOCTYPE is refused, so no entity is ever declared and none but the five of XML is expanded; size, depth,
 * elements of one child and attributes of one element are bounded.
 *
 * @throws SourceError when the file cannot be read, is not well-formed (XML 1.0, Namespaces in XML), or exceeds a bound.
 */
export async function* readXml(path: string): AsyncGenerator<XmlElement> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const { write, taken } = parserOf(path)
  let size = 0
  for await (const chunk of chunksOf(path)) {
    size += chunk.length
    if (size > most.bytes) throw new SourceError(`${path} has more than ${most.bytes >> 20} MiB. Split it.`)
    write(decoded(path, () => decoder.decode(chunk, { stream: true })))
    yield* taken()
  }
  write(decoded(path, () => decoder.decode()))
  write(null)
  yield* taken()
}

function decoded(path: string, decode: () => string): string {
  try {
    return decode()
  } catch {
    // The only fault it has: bytes that are no UTF-8. Nothing of them is shown.
    throw new SourceError(`${path} is not UTF-8. Convert it.`)
  }
}

interface Building extends XmlElement {
  readonly children: XmlElement[]
  text: string
}

interface Parser {
  /** Takes text that follows, or `null` when there is no more. */
  write(text: string | null): void
  /** What has ended since this was asked last. */
  taken(): XmlElement[]
}

function parserOf(path: string): Parser {
  const parser = new SaxesParser({ xmlns: true })
  const open: Building[] = []
  let ended: XmlElement[] = []
  let elements = 0
  let attributes = 0
  const tooMuch = () =>
    new SourceError(`${path} is nested or repeated beyond what such a file needs, and was not read.`)

  parser.on('doctype', () => {
    throw new SourceError(`${path} has a DOCTYPE, which such a file does not need. Nothing of it was read.`)
  })
  parser.on('attribute', () => {
    if (++attributes > most.attributesOfElement) throw tooMuch()
  })
  parser.on('opentag', ({ local, uri, attributes: given }) => {
    attributes = 0
    if (open.length >= most.depth || ++elements > most.elementsOfChild) throw tooMuch()
    const plain = Object.values(given).filter(({ prefix }) => prefix === '')
    const element: Building = {
      name: local,
      namespace: uri,
      attributes: new Map(plain.map(({ name, value }) => [name, value])),
      children: [],
      text: '',
    }
    if (open.length === 0) ended.push(element)
    // What lies in the root is given away as it ends, and never held.
    if (open.length > 1) open.at(-1)?.children.push(element)
    open.push(element)
  })
  const addText = (text: string) => {
    const inner = open.at(-1)
    if (inner !== undefined && open.length > 1) inner.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const element = open.pop()
    if (element === undefined || open.length !== 1) return
    ended.push(element)
    elements = 0
  })
  return {
    write(text) {
      try {
        parser.write(text)
      } catch (error) {
        if (error instanceof SourceError) throw error
        // What the parser says may quote the file, and with it a key.
        throw new SourceError(
          `${path} is no well-formed XML: line ${parser.line}. Get it again from where it came.`,
        )
      }
    },
    taken() {
      const given = ended
      ended = []
      return given
    },
  }
}
