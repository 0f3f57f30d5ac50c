import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

// The least that mod_authnz_fcgi takes for a decision: the cookie is looked up in a map. No policy, no expiry, no
// revocation, no secret of the caller, and nothing is checked. What Watchword costs beyond it is measured against this.
const users = new Map<string, string>()
const header = 8
const server = createServer((socket) => {
  let received: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    // A request ends with an empty FCGI_PARAMS record, and an empty FCGI_STDIN record may follow.
    const text = received.toString('latin1')
    const token = /watchword-site=([\w-]{43})/.exec(text)?.[1]
    if (token === undefined || !text.includes('\x01\x04\x00\x01\x00\x00\x00\x00')) return
    const user = users.get(token)
    const status =
      user === undefined
        ? 'Status: 403 Forbidden\r\n\r\n'
        : `Status: 200 OK\r\nVariable-REMOTE_USER: ${user}\r\n\r\n`
    socket.write(answer(Buffer.from(status)), () => socket.destroy())
  })
})

process.on('message', (tokens: readonly string[]) => {
  for (const [index, token] of tokens.entries()) users.set(token, `user${index}`)
})
await once(server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }), 'listening')
console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`)
process.on('SIGTERM', () => process.exit())

/** One FCGI_STDOUT record, and the end of the request (FastCGI 1.0 §3.3, §5.5). */
function answer(content: Buffer): Buffer {
  const stdout = Buffer.from([1, 6, 0, 1, content.length >> 8, content.length & 255, 0, 0])
  const end = Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, ...new Array<number>(header).fill(0)])
  return Buffer.concat([stdout, content, end])
}
