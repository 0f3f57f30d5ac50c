/** Largest body of any request, in bytes; the largest real one is a form with a password. */
const BODY_MAXIMUM = 16 * 1024

export type BodyOutcome =
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'malformed'; readonly why: string }

/**
 * Reads JSON or form fields from the body and from nowhere else (SEC-INP-9).
 *
 * The media type is compared as a whole with two that are known (L-46); a field that comes twice is refused, in
 * either form; text must be UTF-8. An empty body without a type is an empty set of fields.
 */
export async function readBody(request: Request): Promise<BodyOutcome> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > BODY_MAXIMUM) return { kind: 'too-large' }
  const type = mediaType(request.headers.get('content-type'))
  if (type === undefined) return { kind: 'unsupported' }
  if (request.headers.get('content-encoding') !== null) return { kind: 'unsupported' }
  let bytes: Uint8Array | undefined
  try {
    bytes = await readBytes(request)
  } catch {
    // Whoever sent it went away, or the proxy gave us up; it is no fault of ours.
    return { kind: 'malformed', why: 'The body ended before it was whole.' }
  }
  if (bytes === undefined) return { kind: 'too-large' }
  if (type === 'none') return bytes.length === 0 ? { kind: 'fields', fields: {} } : { kind: 'unsupported' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { kind: 'malformed', why: 'The body is not UTF-8.' }
  }
  return type === 'json' ? parseJson(text) : parseForm(text)
}

function mediaType(header: string | null): 'json' | 'form' | 'none' | undefined {
  if (header === null) return 'none'
  const match = /^(application\/json|application\/x-www-form-urlencoded)(?: ?; ?charset="?utf-8"?)?$/i.exec(
    header,
  )
  if (match === null) return undefined
  return match[1]?.toLowerCase() === 'application/json' ? 'json' : 'form'
}

/** The whole body, or `undefined` as soon as it is larger than allowed. */
async function readBytes(request: Request): Promise<Uint8Array | undefined> {
  // With a declared length Node delivers exactly that much; without one the stream has to be watched.
  if (request.headers.get('content-length') !== null) return new Uint8Array(await request.arrayBuffer())
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    size += chunk.length
    if (size > BODY_MAXIMUM) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(text: string): BodyOutcome {
  if (text === '') return { kind: 'fields', fields: {} }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'malformed', why: 'The body is not JSON.' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'malformed', why: 'The body must be a JSON object.' }
  }
  // JSON.parse keeps the last of two equal names without a word; different readers would see different values.
  if (topLevelNames(text) !== Object.keys(value).length) {
    return { kind: 'malformed', why: 'A field is given twice.' }
  }
  return { kind: 'fields', fields: value as Record<string, unknown> }
}

/** How many names the outermost object of a valid JSON text has, repeated ones counted each time. */
function topLevelNames(text: string): number {
  let names = 0
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':' && depth === 1) names++
  }
  return names
}

/** Reads `name=value&…`; a name that comes twice is refused. */
export function parseForm(text: string): Extract<BodyOutcome, { kind: 'fields' | 'malformed' }> {
  const fields: Record<string, unknown> = Object.create(null)
  for (const part of text.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decoded(equals === -1 ? part : part.slice(0, equals))
    const value = decoded(equals === -1 ? '' : part.slice(equals + 1))
    if (name === undefined || value === undefined) {
      return { kind: 'malformed', why: 'The body is not percent-encoded UTF-8.' }
    }
    if (name in fields) return { kind: 'malformed', why: 'A field is given twice.' }
    fields[name] = value
  }
  return { kind: 'fields', fields }
}

/** Strict, unlike `URLSearchParams`, which turns every byte that is not UTF-8 into one and the same character. */
function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
