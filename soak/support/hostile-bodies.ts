import type { Random } from './random.ts'

/** A body with what is said about it. */
export interface HostileBody {
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A field as the document of the API declares it, or as a form has it. */
export interface Field {
  readonly name: string
  readonly maximum: number
  /** Values that are right. */
  readonly samples: readonly string[]
}

const strange = [
  '',
  ' ',
  '\0',
  '\n',
  'a\0b',
  '\u202e',
  '\ufeff',
  '\ud800',
  '\udfff\ud800',
  'é'.repeat(300),
  '🦜'.repeat(65),
  'ſ',
  'İ',
  '％',
  '../../etc/passwd',
  "' OR 1=1 --",
  '<script>',
  '{{7*7}}',
  '$(7*7)',
  '%0d%0aX: y',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'true',
  '-1',
  '1e309',
  '0x10',
  'NaN',
  '٣'.repeat(6),
  '\u0301',
  'a,b,,c',
  ',',
]
const prototypeNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  '',
  'is_superuser',
  'user_id',
  'amr',
  'verified',
  'role',
  'id',
  'epoch',
  '$ne',
  'toJSON',
  'then',
  'length',
]
const contentTypes = [
  'application/json',
  'application/json',
  'application/json',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'APPLICATION/JSON',
  ' application/json ',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'text/json',
  'text/plain',
  'application/json, text/plain',
  'application/json; boundary=x',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/ld+json',
  'application/jsonx',
  'application/x-www-form-urlencoded; charset=utf-8',
  'x',
  '',
  ';',
  '*/*',
  'application/x-ndjson',
  'application/json\t; charset=utf-8',
  'application/cbor',
]

/** A body of these fields: right, nearly right, or nothing of the kind. */
export function hostileBody(fields: readonly Field[], random: Random): HostileBody {
  const type = random.below(4) > 0 ? random.pick(contentTypes.slice(0, 4)) : random.pick(contentTypes)
  const text = /urlencoded/i.test(type) ? formText(fields, random) : jsonText(fields, random)
  const headers: Record<string, string> = random.below(30) === 0 ? {} : { 'content-type': type }
  if (random.below(40) === 0) headers['content-encoding'] = random.pick(['gzip', 'identity', 'br', 'x'])
  if (random.below(60) === 0) headers['transfer-encoding'] = random.pick(['chunked', 'identity'])
  return { bytes: bytesOf(text, random), headers }
}

/** A value of a field, mostly right. */
export function hostileText({ maximum, samples }: Field, random: Random): string {
  const kind = random.below(10)
  if (kind < 6 && samples.length > 0) return random.pick(samples)
  if (kind < 8) return random.pick(strange)
  const unit = random.pick(['x', '9', 'é', '🦜', '\u0301', ' ', '%'])
  return unit.repeat(Math.max(0, random.pick([0, 1, maximum - 1, maximum, maximum + 1, 2 * maximum, 9000])))
}

function jsonText(fields: readonly Field[], random: Random): string {
  const chosen = random.below(5) === 0 ? fields.filter(() => random.below(3) > 0) : fields
  const pairs = chosen.map((field) => {
    const isText = random.below(8) > 0
    return `${nameText(field.name, random)}:${isText ? JSON.stringify(hostileText(field, random)) : value(random)}`
  })
  if (random.below(4) === 0) {
    const name = random.pick([...prototypeNames, ...fields.map((field) => field.name)])
    pairs.splice(random.below(pairs.length + 1), 0, `${nameText(name, random)}:${value(random)}`)
  }
  const text = `{${pairs.join(random.below(20) === 0 ? ' ,\n\t' : ',')}}`
  switch (random.below(25)) {
    case 0:
      return text.slice(0, random.below(text.length))
    case 1:
      return value(random)
    case 2: {
      const depth = random.pick([10, 1000, 5000, 8000])
      return random.pick([
        `${'['.repeat(depth)}${']'.repeat(depth)}`,
        `${'{"a":'.repeat(depth / 5)}1${'}'.repeat(depth / 5)}`,
      ])
    }
    case 3:
      return random.pick(['\ufeff', ' ', '//\n', 'x', '\0', ")]}',\n"]) + text
    case 4:
      return text + random.pick([' '.repeat(17_000), '{}', ',', '\0', '\n', ';'])
    case 5:
      return `{${pairs.join(',')},"x":"${'y'.repeat(random.pick([16_000, 16_384, 20_000]))}"}`
    case 6:
      return text.replaceAll('"', "'")
    case 7:
      return text.replaceAll(',', ',,')
    default:
      return text
  }
}

const nameText = (name: string, random: Random): string => {
  if (random.below(20) > 0 || name === '') return JSON.stringify(name)
  const at = random.below(name.length)
  const escaped = `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`
  return `"${name.slice(0, at)}${escaped}${name.slice(at + 1)}"`
}

function value(random: Random): string {
  return random.pick([
    '0',
    '-0',
    '123456',
    '1.5',
    '1e400',
    '-1e-400',
    'true',
    'false',
    'null',
    '[]',
    '["x"]',
    '{}',
    '{"$ne":null}',
    '{"length":6}',
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '[[[[]]]]',
    '{"toString":"x"}',
    '99999999999999999999',
    'NaN',
    'undefined',
    '01',
    '"x',
  ])
}

function formText(fields: readonly Field[], random: Random): string {
  const parts = fields.map((field) => {
    const text = hostileText(field, random)
    const encoded = text.isWellFormed()
      ? encodeURIComponent(text)
      : random.pick(['%ED%A0%80', '%FF', '%', '%zz'])
    return `${random.below(20) === 0 ? `%${field.name.charCodeAt(0).toString(16)}${field.name.slice(1)}` : field.name}=${encoded}`
  })
  if (random.below(3) === 0) {
    const name = random.pick([
      ...prototypeNames,
      ...fields.map((field) => field.name),
      '%C0%AF',
      'a[]',
      'a[b]',
    ])
    parts.splice(
      random.below(parts.length + 1),
      0,
      `${name}${random.pick(['=x', '', '=', '=%', '[]=x', '==', '=%00'])}`,
    )
  }
  switch (random.below(20)) {
    case 0:
      return parts.join(';')
    case 1:
      return `${'&'.repeat(500)}${parts.join('&&')}`
    case 2:
      return `${parts.join('&')}&${'a=&'.repeat(random.pick([1000, 6000]))}`
    case 3:
      return parts.filter(() => random.below(2) > 0).join('&')
    default:
      return parts.join('&')
  }
}

function bytesOf(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  switch (random.below(40)) {
    case 0:
      return Buffer.from(text, 'utf16le')
    case 1:
      return Buffer.concat([bytes, Buffer.from([0xff])])
    case 2: {
      const at = random.below(bytes.length + 1)
      const broken = Buffer.from(
        random.pick(['c3', 'c0af', 'eda080', 'f4908080', 'e228a1', '00', 'ff']),
        'hex',
      )
      return Buffer.concat([bytes.subarray(0, at), broken, bytes.subarray(at)])
    }
    case 3: {
      const at = random.below(Math.max(1, bytes.length))
      if (bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      return bytes
    }
    case 4:
      return random.bytes(random.below(200))
    case 5:
      return Buffer.alloc(0)
    default:
      return bytes
  }
}
