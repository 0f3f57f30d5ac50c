/** Most pairs of one stream; Apache sends about 30 of its own and at most 100 headers unless told otherwise. */
const PAIRS_MAXIMUM = 1000

/** Longest name, in bytes. */
const NAME_MAXIMUM = 256

/** Why pairs cannot be read. */
export type PairFault = 'pair-cut-short' | 'empty-name' | 'long-name' | 'name-twice' | 'too-many-pairs'

/**
 * Reads name-value pairs (FastCGI 1.0 §3.4).
 *
 * Names and values become text of one character a byte (Latin-1): a header may hold any byte, this never fails and
 * loses nothing, and ASCII stays what it is. Who needs UTF-8 decodes it from the bytes, strictly, where it is needed.
 * A name that comes twice is refused: two readers could choose different ones (SEC-INP-9).
 */
export function readPairs(bytes: Buffer): ReadonlyMap<string, string> | PairFault {
  const pairs = new Map<string, string>()
  // Read as text once: to slice it costs a fraction of reading each name and value.
  const text = bytes.toString('latin1')
  const end = bytes.length
  let at = 0
  while (at < end) {
    if (pairs.size === PAIRS_MAXIMUM) return 'too-many-pairs'
    const nameLength = lengthAt(bytes, at)
    at += widthAt(bytes, at)
    const valueLength = lengthAt(bytes, at)
    at += widthAt(bytes, at)
    // A length that is cut off is NaN, and no comparison holds for that.
    if (!(at + nameLength + valueLength <= end)) return 'pair-cut-short'
    if (nameLength === 0) return 'empty-name'
    if (nameLength > NAME_MAXIMUM) return 'long-name'
    const name = nameAt(text, at, nameLength)
    at += nameLength
    const known = pairs.size
    pairs.set(name, text.slice(at, at + valueLength))
    if (pairs.size === known) return 'name-twice'
    at += valueLength
  }
  return pairs
}

/**
 * The name at this place, mostly one that is known: a map takes text that was seen before for a third of what it
 * takes to cut out a new one.
 */
function nameAt(text: string, at: number, length: number): string {
  const known = usualNames[slotOf(length, text.charCodeAt(at), text.charCodeAt(at + length - 1))]
  return known !== undefined && known.length === length && text.startsWith(known, at)
    ? known
    : text.slice(at, at + length)
}

const SLOTS = 512

/** Few names share a slot, and those that do lose no more than time. */
const slotOf = (length: number, first: number, last: number): number =>
  (length * 37 + first * 5 + last * 11) % SLOTS

/** Names that Apache sends with nearly every request, each in its slot. */
const usualNames: readonly (string | undefined)[] = bySlot([
  ...['CONTEXT_DOCUMENT_ROOT', 'CONTEXT_PREFIX', 'DOCUMENT_ROOT', 'FCGI_APACHE_ROLE', 'FCGI_ROLE'],
  ...['GATEWAY_INTERFACE', 'HTTPS', 'HTTP_ACCEPT', 'HTTP_ACCEPT_ENCODING', 'HTTP_ACCEPT_LANGUAGE'],
  ...['HTTP_CACHE_CONTROL', 'HTTP_CONNECTION', 'HTTP_COOKIE', 'HTTP_HOST', 'HTTP_REFERER'],
  ...['HTTP_SEC_FETCH_DEST', 'HTTP_SEC_FETCH_MODE', 'HTTP_SEC_FETCH_SITE', 'HTTP_SEC_FETCH_USER'],
  ...['HTTP_UPGRADE_INSECURE_REQUESTS', 'HTTP_USER_AGENT', 'PATH', 'QUERY_STRING', 'REMOTE_ADDR'],
  ...['REMOTE_PORT', 'REQUEST_METHOD', 'REQUEST_SCHEME', 'REQUEST_URI', 'SCRIPT_FILENAME', 'SCRIPT_NAME'],
  ...['SERVER_ADDR', 'SERVER_ADMIN', 'SERVER_NAME', 'SERVER_PORT', 'SERVER_PROTOCOL', 'SERVER_SIGNATURE'],
  ...['SERVER_SOFTWARE', 'WW_POLICY', 'WW_SECRET', 'WW_TIME'],
])

function bySlot(names: readonly string[]): readonly (string | undefined)[] {
  const slots = new Array<string | undefined>(SLOTS).fill(undefined)
  for (const name of names)
    slots[slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1))] = name
  return slots
}

/** Bytes of the length at this place. */
const widthAt = (bytes: Buffer, at: number): 1 | 4 => ((bytes[at] ?? 0) < 128 ? 1 : 4)

/** The length at this place, `NaN` when the bytes end before it does. */
function lengthAt(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first === undefined) return Number.NaN
  if (first < 128) return first
  return at + 4 <= bytes.length ? bytes.readUInt32BE(at) - 2 ** 31 : Number.NaN
}
