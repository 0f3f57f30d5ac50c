/** One event in the words of the decoder under test. */
export type ReadEvent =
  | { kind: 'request'; id: number; keepConnection: boolean; params: [string, string][] }
  | { kind: 'abort'; id: number }
  | { kind: 'get-values'; names: string[] }
  | { kind: 'unknown-type'; type: number }
  | { kind: 'fault'; reason: string; id: number }

interface Whole {
  version: number
  type: number
  id: number
  length: number
  padding: number
  /** Missing where the stream ends before the content does. */
  content: Uint8Array | undefined
}

/**
 * A second decoder, as plain as can be: all bytes at once, first into records, then into meaning.
 *
 * Written from the FastCGI specification and the limits of SEC-FCGI-6, sharing nothing with the one in `src`.
 */
export function readWholeStream(bytes: Uint8Array): ReadEvent[] {
  const events: ReadEvent[] = []
  const paramParts: Uint8Array[] = []
  let id = 0
  let keep = false
  let begun = false
  let ended = false
  let seen = 0
  let stdin = 0
  let managed = 0

  const sum = (parts: Uint8Array[]) => parts.reduce((total, part) => total + part.length, 0)
  const fault = (reason: string, of = begun ? id : 0): ReadEvent[] => [
    ...events,
    { kind: 'fault', reason, id: of },
  ]

  for (const record of recordsOf(bytes)) {
    if (record.version !== 1) return fault('version')
    seen += 8 + record.length + record.padding
    if (seen > 2_097_152) return fault('stream-too-long')

    if (record.id === 0) {
      if ([1, 2, 3, 4, 5, 6, 7, 8].includes(record.type)) return fault('request-id')
      if ([10, 11].includes(record.type)) return fault('type')
      managed += 1
      if (managed > 8) return fault('management-too-often')
      if (record.type === 9 && record.length > 1024) return fault('management-too-long')
      if (!record.content) return events
      if (record.type !== 9) {
        events.push({ kind: 'unknown-type', type: record.type })
        continue
      }
      const asked = pairsOf(record.content)
      if (typeof asked === 'string') return fault(asked)
      events.push({ kind: 'get-values', names: asked.map(([name]) => name) })
      continue
    }

    if (record.type === 1) {
      if (begun) return fault('second-request')
      if (record.length !== 8) return fault('begin-length')
      if (!record.content) return events
      const [roleHigh = 0, roleLow = 0, flags = 0] = record.content
      if (roleHigh !== 0 || roleLow !== 2) return fault('role', record.id)
      if (flags !== 0 && flags !== 1) return fault('flags', record.id)
      begun = true
      id = record.id
      keep = flags === 1
      continue
    }
    if (![2, 4, 5].includes(record.type)) return fault('type')
    if (!begun || record.id !== id) return fault('request-id')
    if (record.type === 2) {
      if (record.content) events.push({ kind: 'abort', id })
      return events
    }
    if (record.type === 5) {
      stdin += record.length
      if (stdin > 65_536) return fault('stdin-too-long')
      if (!record.content) return events
      continue
    }
    if (ended) return fault('params-after-end')
    if (sum(paramParts) + record.length > 1_048_576) return fault('params-too-long')
    if (!record.content) return events
    if (record.length > 0) {
      paramParts.push(record.content)
      continue
    }
    ended = true
    const params = pairsOf(new Uint8Array(paramParts.flatMap((part) => [...part])))
    if (typeof params === 'string') return fault(params)
    events.push({ kind: 'request', id, keepConnection: keep, params })
  }
  return events
}

/** The records whose header is complete. */
function* recordsOf(bytes: Uint8Array): Generator<Whole> {
  let rest = bytes
  while (rest.length >= 8) {
    const [version = 0, type = 0, idHigh = 0, idLow = 0, lengthHigh = 0, lengthLow = 0, padding = 0] = rest
    const length = lengthHigh * 256 + lengthLow
    const content = rest.length >= 8 + length ? rest.slice(8, 8 + length) : undefined
    yield { version, type, id: idHigh * 256 + idLow, length, padding, content }
    if (!content) return
    rest = rest.slice(8 + length + padding)
  }
}

function pairsOf(bytes: Uint8Array): [string, string][] | string {
  const pairs: [string, string][] = []
  const names = new Set<string>()
  let rest = [...bytes]

  /** A length off the front of what is left, or nothing where it is cut off. */
  const length = (): number | undefined => {
    const [first, second, third, fourth] = rest
    if (first === undefined) return undefined
    if (first <= 127) {
      rest = rest.slice(1)
      return first
    }
    if (second === undefined || third === undefined || fourth === undefined) return undefined
    rest = rest.slice(4)
    return (first - 128) * 16_777_216 + second * 65_536 + third * 256 + fourth
  }

  while (rest.length > 0) {
    if (pairs.length === 1000) return 'too-many-pairs'
    const nameLength = length()
    const valueLength = nameLength === undefined ? undefined : length()
    if (nameLength === undefined || valueLength === undefined) return 'pair-cut-short'
    if (rest.length < nameLength + valueLength) return 'pair-cut-short'
    if (nameLength === 0) return 'empty-name'
    if (nameLength > 256) return 'long-name'
    const name = String.fromCharCode(...rest.slice(0, nameLength))
    if (names.has(name)) return 'name-twice'
    names.add(name)
    const value = rest.slice(nameLength, nameLength + valueLength)
    pairs.push([name, value.map((code) => String.fromCharCode(code)).join('')])
    rest = rest.slice(nameLength + valueLength)
  }
  return pairs
}
