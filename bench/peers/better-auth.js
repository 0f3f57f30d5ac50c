import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { twoFactor } from 'better-auth/plugins/two-factor'

// Better Auth with its defaults, SQLite on disk and its plugin for codes; or its password hash alone.
const [, , what, file = '', origin = '', password = ''] = process.argv
const people = 1000

if (what === 'hash') await measureHash()
else await serve()

/** Eight callers at once for as long as each message says; gives hashes a second. */
async function measureHash() {
  const hash = await hashPassword(password)
  process.on('message', async ({ milliseconds }) => {
    const began = performance.now()
    let done = 0
    const caller = async () => {
      while (performance.now() - began < milliseconds) {
        if (!(await verifyPassword({ hash, password }))) throw new Error('The password does not fit.')
        done++
      }
    }
    await Promise.all(Array.from({ length: 8 }, caller))
    process.send?.({ rate: done / ((performance.now() - began) / 1000) })
  })
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}

/** Tells its port, the key of everybody's codes and the cookies of their sessions, and answers until it is ended. */
async function serve() {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL')
  const secret = randomBytes(32).toString('base64url')
  const options = {
    appName: 'bench',
    baseURL: origin,
    database,
    secret,
    emailAndPassword: { enabled: true },
    // Everybody comes from one address.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [twoFactor()],
  }
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  const key = await firstUser(auth, database)
  const cookies = multiply(database, secret)
  const server = createServer(toNodeHandler(auth)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send?.({ port: server.address().port, key, cookies })
  process.on('disconnect', () => process.exit())
}

/** Somebody who has a password and an authenticator. */
async function firstUser({ api }, database) {
  const made = await api.signUpEmail({
    body: { name: 'user0', email: 'user0@example.com', password },
    asResponse: true,
  })
  const cookie = made.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const { totpURI } = await api.enableTwoFactor({ body: { password }, headers: new Headers({ cookie }) })
  // As after the first code.
  database.exec('UPDATE twoFactor SET verified = 1; UPDATE user SET twoFactorEnabled = 1')
  return new URL(totpURI).searchParams.get('secret')
}

/** Copies the first user, so that making them takes no hash each; gives the signed cookie of each one's session. */
function multiply(database, secret) {
  const [user, account, device, session] = ['user', 'account', 'twoFactor', 'session'].map((table) =>
    database.prepare(`SELECT * FROM "${table}"`).get(),
  )
  const insert = (table, row) => {
    const names = Object.keys(row).map((name) => `"${name}"`)
    const places = names.map(() => '?')
    database.prepare(`INSERT INTO "${table}" (${names}) VALUES (${places})`).run(...Object.values(row))
  }
  const id = () => randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x')
  const cookies = []
  database.exec('BEGIN')
  for (let index = 1; index <= people; index++) {
    const [userId, token] = [id(), id()]
    insert('user', { ...user, id: userId, name: `user${index}`, email: `user${index}@example.com` })
    insert('account', { ...account, id: id(), accountId: userId, userId })
    insert('twoFactor', { ...device, id: id(), userId })
    insert('session', { ...session, id: id(), userId, token })
    const signature = createHmac('sha256', secret).update(token).digest('base64')
    cookies.push(`better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`)
  }
  database.exec('COMMIT')
  return cookies
}
