import { z } from 'zod'
import { answersOf } from '../edge-answers.ts'
import type { Access, Route } from '../endpoint.ts'

/** The OpenAPI 3.1 document of the routes, made from the schemas that validate their requests. */
export function document(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Watchword',
      version: '1',
      description:
        'Sign in with a username, a password and a one-time code. Bodies are JSON or form-encoded; a trailing slash is optional. Errors are {"error": sentence, "code": stable code}.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-watchword-session' },
        login: { type: 'apiKey', in: 'cookie', name: '__Host-watchword-login' },
      },
    },
  }
}

function operation(route: Route): object {
  const { body } = route
  const parameters: object[] = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  if (route.query !== undefined) parameters.push(...queryParameters(route.query))
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-z]+(\w)?/gi, (_, letter = '') => letter.toUpperCase())}`,
    tags: [tagOf(route)],
    summary: route.summary,
    description: route.description,
    security: security(route.access),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: bodyContent(schemaOf(body, 'input')) },
    }),
    responses: Object.fromEntries(
      Object.entries(answersOf(route)).map(([status, answer]) => [status, response(answer)]),
    ),
  }
}

/** Under which heading the documentation shows it. */
function tagOf({ path, access }: Route): string {
  if (!path.startsWith('/auth/')) return 'Server'
  if (access === 'admin') return 'Administration'
  return access === 'session' ? 'Own account' : 'Signing in'
}

/** Each parameter of the query, from the schema that reads it. */
function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function bodyContent(schema: object): object {
  return { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } }
}

function response({ description, schema }: Route['answers'][number]): object {
  if (schema === undefined) return { description }
  return { description, content: { 'application/json': { schema: schemaOf(schema, 'output') } } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}

function security(access: Access): object[] {
  switch (access) {
    case 'anybody':
    case 'monitoring':
      return []
    case 'login-or-session':
      return [{ login: [] }, { session: [] }]
    case 'session':
    case 'admin':
      return [{ session: [] }]
  }
}
