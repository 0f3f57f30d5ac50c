import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'

// The framework alone: answers one address with the same bytes whoever asks. What a page costs beyond it is measured
// against this.
const [, , file = ''] = process.argv
const { body, headers } = JSON.parse(readFileSync(file, 'utf8'))
const app = new Hono()
app.get('/login', () => new Response(body, { headers }))
const server = createAdaptorServer({ fetch: app.fetch })
server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () =>
  console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`),
)
process.on('SIGTERM', () => process.exit())
