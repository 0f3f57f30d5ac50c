import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient, type RawRequest } from '../support/raw-client.ts'

const asking: RawRequest = { method: 'GET', target: '/', headers: [['host', '127.0.0.1']] }

it('a client is answered on a new connection once the server has closed the kept one', async (t) => {
  const opened: Socket[] = []
  const server = createServer((_request, response) => response.end('here'))
  server.on('connection', (socket) => opened.push(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = new RawClient({ port: (server.address() as AddressInfo).port }, 5)
  t.after(() => {
    client.close()
    server.close()
  })
  assert.equal((await client.send(asking)).status, 200)
  assert.equal((await client.send(asking)).status, 200)
  assert.equal(opened.length, 1)
  opened[0]?.end()
  // Until the client has read that this was the end, or has not: it is answered either way.
  for (let turn = 0; turn < 20; turn++) await sleep(1)
  assert.equal((await client.send(asking)).status, 200)
  assert.equal(opened.length, 2)
})
