import { hash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'

/** Where the files of the API documentation are; nothing else is served below. */
export const API_DOCS_FILES = '/static/api'

/** A file on the disk whose address changes with its content, so that browsers may keep it for ever. */
export interface DocsFile {
  readonly path: string
  readonly contentType: string
  /** In bytes. */
  readonly size: number
  /** The content from its start; the file is opened when the first bytes are asked for. */
  readonly stream: () => ReadableStream<Uint8Array<ArrayBuffer>>
}

export interface ApiDocsFiles {
  readonly style: DocsFile
  /** The package's script and ours that starts it, in this order. */
  readonly scripts: readonly [DocsFile, DocsFile]
}

let known: ApiDocsFiles | undefined

/**
 * What the page of the API documentation loads: two files of swagger-ui-dist and one of ours.
 *
 * They are looked for when somebody first asks: they are large, and few ever ask.
 */
export function apiDocsFiles(): ApiDocsFiles {
  known ??= {
    style: docsFile(import.meta.resolve('swagger-ui-dist/swagger-ui.css'), CSS),
    scripts: [
      docsFile(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'), SCRIPT),
      docsFile(import.meta.resolve('./assets/api-docs.js'), SCRIPT),
    ],
  }
  return known
}

/** The file of this address, if there is one. */
export function findApiDocsFile(path: string): DocsFile | undefined {
  const { style, scripts } = apiDocsFiles()
  return [style, ...scripts].find((file) => file.path === path)
}

const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

function docsFile(address: string, contentType: string): DocsFile {
  const url = new URL(address)
  const [name = '', extension = ''] = url.pathname.slice(url.pathname.lastIndexOf('/') + 1).split('.')
  const digest = hash('sha256', readFileSync(url), 'hex').slice(0, 12)
  return {
    path: `${API_DOCS_FILES}/${name}-${digest}.${extension}`,
    contentType,
    size: statSync(url).size,
    stream: () => ReadableStream.from(contentOf(url)),
  }
}

/** Opens nothing until it is read, and closes what it opened when its reader leaves. */
async function* contentOf(url: URL) {
  yield* createReadStream(url)
}
