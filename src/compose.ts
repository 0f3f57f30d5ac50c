import { availableParallelism } from 'node:os'
import { revokeLeases } from './apache/leases/folder.ts'
import type { Config } from './config/load.ts'
import { createKeyFile, KeyFileError, readKeyFile } from './crypto/key-file.ts'
import { createPasswordHasher } from './crypto/password-hasher.ts'
import { openPasswordLists } from './crypto/password-lists.ts'
import { entropy, newId, newToken } from './crypto/random.ts'
import { createSealer } from './crypto/sealer.ts'
import { createSigning } from './crypto/signing.ts'
import { type AccessPolicy, builtInPolicies, findPolicy } from './domain/access.ts'
import { StorageFault } from './domain/faults.ts'
import type { ThrottleRule } from './domain/throttle.ts'
import type { UnixSeconds } from './domain/time.ts'
import { normalizeUsername } from './domain/user.ts'
import type { Policy, Services } from './services.ts'
import { makeMonths } from './store/audit-months.ts'
import type { Db } from './store/database.ts'
import { keyFingerprint } from './store/installation.ts'
import { type MigrationStatus, migrate } from './store/migrate.ts'
import { type DatabaseTarget, openDatabase } from './store/open.ts'
import * as otpDevices from './store/otp-devices.ts'
import { repeatingTransactions } from './store/repeated.ts'
import type { NoticeListener } from './store/revocation-notices.ts'
import * as signingKeys from './store/signing-keys.ts'
import { isWritable } from './store/writable.ts'

const DAY = 24 * 3600

/** The one clock of the program: whole seconds since the Unix epoch. */
export const systemClock = (): UnixSeconds => Math.floor(Date.now() / 1000)

/** The services, with the end of what they hold open. */
export interface Composed {
  readonly services: Services
  readonly migrations: MigrationStatus
  /** Tells of what other nodes revoked; a file of SQLite has none, and commands beside it revoke by themselves. */
  readonly listenForRevocations: (listener: NoticeListener) => () => Promise<void>
  close(): Promise<void>
}

/** Builds everything once from the settings: opens and migrates the database, reads or makes the key file. */
export async function compose(
  config: Config,
  { now = systemClock }: { now?: () => UnixSeconds } = {},
): Promise<Composed> {
  const { leaseDirectory } = config.authorizer
  const target = { ...config.database, connections: config.databaseConnections }
  const opened = await openDatabase(target, (whose) => {
    if (leaseDirectory !== undefined) revokeLeases(leaseDirectory, whose, newId)
  })
  const db = repeatingTransactions(opened)
  try {
    await checkWritable(db)
    const migrations = await migrate(db)
    // Before anybody writes to them. What hinders it hinders the purge, too, which says so.
    await makeMonths(db, now()).catch(() => undefined)
    const sealer = createSealer(await keyFile(config, db))
    if ((await keyFingerprint(db, sealer.fingerprint())) !== sealer.fingerprint()) {
      throw new KeyFileError(
        `${config.keyFile} does not belong to this database. Put the key file of the first host, or of the backup, in its place.`,
      )
    }
    const { password } = config
    const services: Services = {
      db,
      now,
      newToken,
      newId,
      entropy,
      sealer,
      signing: createSigning(sealer),
      hasher: createPasswordHasher({
        parameters: {
          memoryKib: password.memoryKib,
          passes: password.passes,
          parallelism: password.parallelism,
        },
        threads: Math.min(password.hashThreads, availableParallelism()),
        queue: password.hashQueue,
        deadline: password.hashDeadline,
      }),
      passwordLists: openPasswordLists(password.breachedHashes),
      policy: policyOf(config),
    }
    return {
      services,
      migrations,
      listenForRevocations: await noticesOf(config.database),
      close: () => db.destroy(),
    }
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/** A replica would let the server begin and refuse everybody. */
async function checkWritable(db: Db): Promise<void> {
  if (await isWritable(db)) return
  throw new StorageFault('it is a replica, or set to be read only, and takes no changes; name the primary')
}

async function noticesOf(database: DatabaseTarget): Promise<Composed['listenForRevocations']> {
  if (database.kind === 'postgres') {
    const { listenForRevocations } = await import('./store/revocation-notices.ts')
    return (listener) => listenForRevocations(database.url, listener)
  }
  return (listener) => {
    listener.connected()
    return async () => {}
  }
}

/** A key file is made only where nothing is sealed yet: a missing one beside a used database is a loss to be mended. */
async function keyFile(config: Config, db: Db) {
  const found = readKeyFile(config.keyFile)
  if (found !== undefined) return found
  if ((await otpDevices.exist(db)) || (await signingKeys.exist(db))) {
    throw new KeyFileError(
      `${config.keyFile} is missing, and the database holds secrets that only its keys open. Restore it from backup.`,
    )
  }
  return createKeyFile(config.keyFile)
}

/** The operator's settings as the actions ask for them. */
function policyOf(config: Config): Policy {
  const { login, session, totp, password, throttle } = config
  const own = ownPolicies(config)
  return {
    accessPolicy: (name) => findPolicy(name, own),
    accessPolicies: [...builtInPolicies, ...own.values()],
    issuer: config.issuer,
    enrolment: login.enrolment,
    loginLifetime: login.lifetime,
    enrolmentLifetime: login.enrolmentLifetime,
    session: {
      idleTimeout: session.idleTimeout,
      absoluteLifetime: session.absoluteLifetime,
      freshFor: session.freshFor,
      limit: session.limit,
      browserLifetime: session.browserLifetimeDays * DAY,
    },
    totpWindow: totp.window as 0 | 1 | 2, // The schema lets no other whole number through.
    maximumDevices: totp.maximumDevices,
    password: {
      minimumLength: password.minimumLength,
      minimumLengthAlone: password.minimumLengthAlone,
      barredWords: [...password.barredWords, config.issuer],
    },
    appPasswords: { longestDays: config.appPasswords.longestDays },
    throttle: {
      password: consecutive(throttle.passwordFree, DAY),
      code: consecutive(throttle.codeFree, 'never'),
      network: { kind: 'window', limit: throttle.networkLimit, window: throttle.networkWindow },
      site: { kind: 'window', limit: throttle.siteLimit, window: throttle.networkWindow },
      server: { kind: 'window', limit: throttle.serverLimit, window: throttle.serverWindow },
      disableAfter: throttle.disableAfter,
    },
    auditRetention: config.auditRetentionDays * DAY,
  }

  function consecutive(free: number, forgetAfter: number | 'never'): ThrottleRule {
    const { firstWait, longestWait } = throttle
    return { kind: 'consecutive', free, firstWait, longestWait, forgetAfter }
  }
}

/** The access policies of the settings, by name. */
function ownPolicies({ policies }: Config): ReadonlyMap<string, AccessPolicy> {
  return new Map(
    Object.entries(policies).map(([name, { within, codeWindow, users, ...policy }]) => [
      name,
      {
        ...policy,
        name,
        users: users.map(normalizeUsername),
        ...(within !== undefined && { within }),
        ...(codeWindow !== undefined && { codeWindow }),
      },
    ]),
  )
}
