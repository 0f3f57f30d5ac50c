import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { root } from '../../scripts/lib/runtime.js'
import { compose } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { createPasswordHasher } from '../../src/crypto/password-hasher.ts'
import { entropy, newId } from '../../src/crypto/random.ts'
import type { HashParameters, PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import { hashToken, type Token } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import * as otpDevices from '../../src/store/otp-devices.ts'
import * as passwordHashes from '../../src/store/password-hashes.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'
import { addMany } from './many.ts'
import { OTP_KEY, PASSWORD, PEOPLE, SESSIONS, sessionTokenOf, usernameOf } from './people.ts'

/** The least that argon2 can do: what remains is the server's own cost. */
const cheapest: HashParameters = { memoryKib: 8, passes: 1, parallelism: 1 }

/** The settings of a server under test: the defaults, behind a proxy on this machine. */
export function settingsOf(folder: string): Readonly<Record<string, string>> {
  return {
    WATCHWORD_DATA: folder,
    WATCHWORD_LISTEN: '127.0.0.1:0',
    WATCHWORD_ORIGIN: 'https://auth.example.com',
    WATCHWORD_TRUSTED_PROXIES: '127.0.0.1',
    // Its port is one for the machine.
    WATCHWORD_AUTHORIZER_LISTEN: 'off',
  }
}

export const configOf = (folder: string): Config => loadConfig({ cwd: folder, env: settingsOf(folder) })

/** Databases for servers under test, made from one that is prepared once. */
export interface DataFolders {
  readonly folder: string
  /** A folder of data for Watchword, with everybody's password hashed at the real or the least cost. */
  watchword(hash: 'real' | 'least'): string
  /** A folder of data with 100,000 people and 1,000,000 audit events, made when first asked for. All share it. */
  many(): string
  /** The same people and sessions in the tables of the bare server. */
  bare(hash: 'real' | 'least'): string
  /** A hash of the password at this cost. */
  hashOf(hash: 'real' | 'least'): PasswordHash
  remove(): void
}

/** Prepares people with devices and sessions, on the disk that holds the program. */
export async function prepareData(): Promise<DataFolders> {
  const results = join(root, 'bench', 'results')
  mkdirSync(results, { recursive: true })
  const folder = mkdtempSync(join(results, 'work-'))
  const template = join(folder, 'template')
  mkdirSync(template, { mode: 0o700 })
  const { services, close } = await compose(configOf(template))
  const hashes = { real: await hashAt(services.hasher.parameters), least: await hashAt(cheapest) }
  await fill(services, hashes.real)
  await close()
  let made = 0
  let many: string | undefined
  const next = (kind: string) => join(folder, `${kind}-${made++}`)
  const watchword = (hash: 'real' | 'least') => {
    const copy = next('watchword')
    cpSync(template, copy, { recursive: true })
    const database = new DatabaseSync(join(copy, 'watchword.sqlite3'))
    database.prepare('UPDATE password_hash SET hash = ?').run(hashes[hash])
    // Otherwise the first check of each session writes down that it was seen.
    database.prepare('UPDATE session SET last_seen_at = ?').run(Math.floor(Date.now() / 1000))
    database.close()
    return copy
  }
  return {
    folder,
    watchword,
    many() {
      if (many === undefined) {
        many = watchword('real')
        addMany(many)
      }
      return many
    },
    bare(hash) {
      const file = next('bare')
      fillBare(file, hashes[hash])
      return file
    },
    hashOf: (hash) => hashes[hash],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function hashAt(parameters: HashParameters): Promise<PasswordHash> {
  const hasher = createPasswordHasher({ parameters, threads: 1, queue: 1, deadline: 60 })
  using turn = hasher.enter()
  if (turn === undefined) throw new Error('A new queue is full.')
  return await turn.hash(PASSWORD)
}

async function fill({ db, sealer, policy }: Services, hash: PasswordHash): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  await db.transaction().execute(async (tx) => {
    for (let index = 0; index < PEOPLE; index++) {
      const userId = newId() as UserId
      await users.insert(
        tx,
        { id: userId, username: usernameOf(index), displayName: '', isSuperuser: false },
        now,
      )
      await passwordHashes.put(tx, userId, { hash, mustChange: false, now })
      await users.setSecondFactor(tx, userId, true)
      const deviceId = newId()
      await otpDevices.insertConfirmed(
        tx,
        {
          id: deviceId,
          userId,
          kind: 'totp',
          name: 'Phone',
          sealedKey: sealer.seal(OTP_KEY, { purpose: 'otp-key', userId, deviceId }),
          algorithm: 'sha1',
          digits: 6,
          period: 30,
          t0: 0,
          drift: 0,
          lastUsedStep: -1,
          counter: 0,
          createdAt: now,
        },
        now,
      )
      if (index >= SESSIONS) continue
      await sessions.insert(tx, {
        id: newId(),
        userId,
        amr: ['pwd', 'otp'],
        authTime: now,
        createdAt: now,
        lastSeenAt: now,
        expiresAt: now + policy.session.absoluteLifetime,
        address: '203.0.113.7',
        userAgent: 'bench',
        tokenHash: hashToken(sessionTokenOf(index) as Token),
      })
    }
  })
}

function fillBare(file: string, hash: PasswordHash): void {
  const database = new DatabaseSync(file)
  database.exec(`
    CREATE TABLE user (id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, key BLOB NOT NULL,
      last_step INTEGER NOT NULL);
    CREATE TABLE session (token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, auth_time INTEGER NOT NULL,
      expires_at INTEGER NOT NULL);
    BEGIN`)
  const now = Math.floor(Date.now() / 1000)
  const user = database.prepare('INSERT INTO user VALUES (?, ?, ?, ?, -1)')
  const session = database.prepare('INSERT INTO session VALUES (?, ?, ?, ?)')
  for (let index = 0; index < PEOPLE; index++) {
    const id = Buffer.from(entropy(16)).toString('hex')
    user.run(id, usernameOf(index), hash, OTP_KEY)
    if (index < SESSIONS) session.run(hashToken(sessionTokenOf(index) as Token), id, now, now + 43_200)
  }
  database.exec('COMMIT')
  database.close()
}
