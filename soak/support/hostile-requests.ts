import { z } from 'zod'
import { routes } from '../../src/http/api/routes.ts'
import { pageRoutes } from '../../src/http/routes/list.ts'
import { PASSWORD } from '../../test/world.ts'
import type { Callers } from './callers.ts'
import { type Field, hostileBody, hostileText } from './hostile-bodies.ts'
import type { Random } from './random.ts'

/** A request as it is sent. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Buffer | undefined
}

/** A request to any address, by anybody. */
export function drawRequest(callers: Callers, random: Random): Sent {
  const target = random.pick(targets)
  const { isPage, path } = target
  const method =
    random.below(30) === 0
      ? random.pick(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
      : target.method
  const { stranger, waiting, enrolling, member, admin } = callers
  const likely = /\/admin/.test(path)
    ? admin
    : /login|verify|register|confirm|invit|setup/.test(path)
      ? waiting
      : member
  const caller = random.below(4) > 0 ? likely : random.pick([stranger, waiting, enrolling, member, admin])
  const samples = (field: DeclaredField): Field => ({ ...field, samples: samplesOf(field, callers) })
  const { bytes, headers } = hostileBody(
    [
      ...target.fields.map(samples),
      ...(isPage
        ? [{ name: 'form_token', maximum: 43, samples: Array<string>(8).fill(caller.formKey) }]
        : []),
    ],
    random,
  )
  const place = path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(wellFormed(hostileText(samples({ name, maximum: 64, known: [] }), random))),
  )
  const query = target.query.filter(() => random.below(3) === 0).map(samples)
  const search = query.map(
    (field) => `${field.name}=${encodeURIComponent(wellFormed(hostileText(field, random)))}`,
  )
  const address = `${place}${search.length > 0 ? `?${search.join('&')}` : ''}`
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return {
    method,
    // What is too long for the server itself to read is for other trials.
    path: address.length > 8000 ? place.slice(0, 8000) : address,
    headers: {
      cookie: caller.cookie,
      accept: isPage ? 'text/html' : 'application/json',
      ...(hasBody && headers),
      ...(random.below(20) === 0 && {
        'sec-fetch-site': random.pick(['same-origin', 'cross-site', 'none', 'x']),
      }),
    },
    body: hasBody ? bytes : undefined,
  }
}

const wellFormed = (text: string): string => (text.isWellFormed() ? text : '\ufffd')

function samplesOf(
  { name, known }: DeclaredField,
  { username, ids, group, code }: Callers,
): readonly string[] {
  const names = ['newname', username, 'Zoë', 'a.b@c']
  switch (name) {
    case 'username':
      return names
    case 'password':
    case 'current_password':
      return [PASSWORD, 'wrong']
    case 'new_password':
      return ['a new and longer password', PASSWORD, 'short']
    case 'otp':
      return [code, '000000', '3-ABCD-EFGH-JKMN-PQRS']
    case 'id':
    case 'session':
    case 'app_password':
    case 'code_window':
    case 'user':
      return ids
    case 'group':
    case 'groups':
    case 'name':
      return [group, 'Phone', 'staff']
    case 'policies':
      return ['two-factor', 'password,two-factor', 'nowhere']
    case 'return_to':
    case 'to':
      return ['/account', 'https://evil.example/', '//evil.example']
    default:
      return [...known, '1', '20', 'x'.repeat(43)]
  }
}

/** A field that a schema names, with the values that it lists. */
interface DeclaredField {
  readonly name: string
  readonly maximum: number
  readonly known: readonly string[]
}

interface Target {
  readonly method: string
  readonly path: string
  readonly isPage: boolean
  readonly fields: readonly DeclaredField[]
  readonly query: readonly DeclaredField[]
}

const targets: readonly Target[] = [
  ...routes.map(({ method, path, body, query }) => ({
    ...{ method, path, isPage: false, fields: fieldsOf(body), query: fieldsOf(query) },
  })),
  ...pageRoutes.map(({ method, path, fields, query }) => ({
    ...{ method, path, isPage: true, fields: fieldsOf(fields), query: fieldsOf(query) },
  })),
]

function fieldsOf(schema: z.ZodType | undefined): DeclaredField[] {
  if (schema === undefined) return []
  const found = new Map<string, DeclaredField>()
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
  return [...found.values()]

  function walk({ properties = {}, anyOf = [], oneOf = [], allOf = [] }: z.core.JSONSchema.BaseSchema): void {
    for (const [name, property] of Object.entries(properties)) {
      if (typeof property === 'boolean') continue
      const { maxLength = 256, enum: values = [], const: only } = property
      const known = [...values, only].filter((value) => typeof value === 'string')
      const before = found.get(name)?.known ?? []
      found.set(name, { name, maximum: maxLength, known: [...before, ...known] })
    }
    for (const part of [...anyOf, ...oneOf, ...allOf]) if (typeof part !== 'boolean') walk(part)
  }
}
