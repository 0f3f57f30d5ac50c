import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { verify } from '@node-rs/argon2'

// The least that still signs people in correctly: what everything beyond it costs is measured against this.
const [, , file = ''] = process.argv
const database = new DatabaseSync(file)
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
const findUser = database.prepare('SELECT id, hash, key, last_step FROM user WHERE username = ?')
const spend = database.prepare('UPDATE user SET last_step = ? WHERE id = ? AND last_step < ?')
const insertSession = database.prepare('INSERT INTO session VALUES (?, ?, ?, ?)')
const findSession = database.prepare(
  `SELECT s.auth_time, s.expires_at, u.id, u.username FROM session s JOIN user u ON u.id = s.user_id
   WHERE s.token_hash = ? AND s.expires_at > ?`,
)

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
const seconds = () => Math.floor(Date.now() / 1000)

function codeAt(key: Uint8Array, step: number): Buffer {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', key).update(counter).digest()
  const number = mac.readUInt32BE(mac.readUInt8(19) & 15) & 0x7fffffff
  return Buffer.from(String(number % 1e6).padStart(6, '0'))
}

/** Spends the code and stores the session in one transaction, which is on disk when this returns. */
function signIn(id: string, step: number): string | undefined {
  const token = randomBytes(32).toString('base64url')
  database.exec('BEGIN IMMEDIATE')
  const isFirst = spend.run(step, id, step).changes === 1
  if (isFirst) insertSession.run(sha256(token), id, seconds(), seconds() + 43_200)
  database.exec('COMMIT')
  return isFirst ? token : undefined
}

async function authenticate(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  const { username, password, otp } = JSON.parse(text)
  const user = findUser.get(username)
  if (user === undefined || !(await verify(String(user.hash), password))) {
    return answer(response, 401, { error: 'Invalid username or password' })
  }
  const code = Buffer.from(String(otp).padStart(6).slice(0, 6))
  const now = Math.floor(seconds() / 30)
  const step = [now - 1, now, now + 1].findLast((each) =>
    timingSafeEqual(codeAt(user.key as Uint8Array, each), code),
  )
  const token = step === undefined ? undefined : signIn(String(user.id), step)
  if (token === undefined) return answer(response, 400, { error: 'Invalid OTP' })
  response.setHeader('set-cookie', `__Host-watchword-session=${token}; Path=/; HttpOnly; Secure`)
  answer(response, 200, { message: 'Authentication successful' })
}

function whoAmI(request: IncomingMessage, response: ServerResponse): void {
  const [, token] = /(?:^|; )__Host-watchword-session=([\w-]{43})/.exec(request.headers.cookie ?? '') ?? []
  const row = token === undefined ? undefined : findSession.get(sha256(token), seconds())
  if (row === undefined) {
    answer(response, 401, { error: 'Nobody is signed in.' })
  } else {
    const user = { id: row.id, username: row.username }
    answer(response, 200, { user, auth_time: row.auth_time, expires_at: row.expires_at })
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

const server = createServer((request, response) => {
  if (request.url === '/auth/session/') whoAmI(request, response)
  else authenticate(request, response).catch(() => answer(response, 500, {}))
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () =>
  console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`),
)
process.on('SIGTERM', () => process.exit())
