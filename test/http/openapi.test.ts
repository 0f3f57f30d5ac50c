import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { routes } from '../../src/http/api/routes.ts'
import { answersOf } from '../../src/http/edge-answers.ts'
import { startWorld, type World } from '../world.ts'

// biome-ignore lint/suspicious/noExplicitAny: the document is looked at as a client would, by names.
type Document = any

describe('the document of the API', () => {
  let world: World
  let document: Document
  before(async () => {
    world = await startWorld()
    document = (await world.browser().get('/openapi.json')).body
  })
  after(() => world.close())

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document))
    assert.ok(valid, JSON.stringify(errors))
    assert.equal(validator.version, '3.1')
  })

  it('lists exactly the routes that are served, with every status they answer', () => {
    const listed = Object.entries<Document>(document.paths).flatMap(([path, operations]) =>
      Object.entries<Document>(operations).map(([method, operation]) => [
        `${method.toUpperCase()} ${path}`,
        Object.keys(operation.responses),
      ]),
    )
    const served = routes.map((route) => [
      `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`,
      Object.keys(answersOf(route)),
    ])
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(served))
  })

  it('names every operation once', () => {
    const ids = Object.values<Document>(document.paths).flatMap((operations) =>
      Object.values<Document>(operations).map(({ operationId }) => operationId),
    )
    assert.equal(new Set(ids).size, routes.length)
  })

  it('lets no undeclared field into any body (SEC-DOC-4)', () => {
    const objects: string[] = []
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      const schema = value as { type?: unknown; properties?: unknown; additionalProperties?: unknown }
      if (
        schema.type === 'object' &&
        schema.properties !== undefined &&
        schema.additionalProperties !== false
      ) {
        objects.push(path)
      }
      for (const [name, inner] of Object.entries(value)) walk(inner, `${path}/${name}`)
    }
    walk(document.paths, '')
    assert.deepEqual(objects, [])
  })

  it('bounds every text that a request may hold (SEC-DOC-4)', () => {
    for (const route of routes) {
      const path = route.path.replace(/:(\w+)/g, '{$1}')
      const body = document.paths[path][route.method.toLowerCase()].requestBody
      if (body === undefined) continue
      const { properties } = body.content['application/json'].schema
      for (const [name, schema] of Object.entries<Document>(properties)) {
        assert.equal(schema.type, 'string')
        assert.equal(typeof schema.maxLength, 'number', `${route.path} ${name}`)
      }
    }
  })
})
