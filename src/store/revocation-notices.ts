import { setTimeout as delay } from 'node:timers/promises'
import { CompiledQuery, type DatabaseConnection } from 'kysely'
import pg from 'pg'
import type { UserId } from '../domain/user.ts'

const CHANNEL = 'watchword_revoked'

/** Tells the other nodes, once the transaction is stored, who lost standing (PostgreSQL, NOTIFY). */
export async function notifyNodes(connection: DatabaseConnection, whose: ReadonlySet<UserId>): Promise<void> {
  for (const userId of whose) {
    await connection.executeQuery(CompiledQuery.raw('select pg_notify($1, $2)', [CHANNEL, userId]))
  }
}

/** What a node that listens is told. */
export interface NoticeListener {
  /** From here on every notice arrives. */
  connected(): void
  revoked(userId: UserId): void
  /** Notices may be missed from here on, until `connected`. */
  lost(): void
}

/** How long the connection may say nothing before it is asked whether it still is one. */
const PING_EVERY_MS = 5000
const RETRY_AFTER_MS = 1000

/**
 * Listens for notices of other nodes on a connection of its own, which is made anew when it breaks.
 *
 * @returns the end of it, which resolves when the connection is closed.
 */
export function listenForRevocations(url: string, listener: NoticeListener): () => Promise<void> {
  const ending = new AbortController()
  const running = run(url, listener, ending.signal)
  return async () => {
    ending.abort()
    await running
  }
}

async function run(url: string, listener: NoticeListener, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    await listenOnce(url, listener, ending)
    // Told also after an attempt that never connected: to be closed already is no harm.
    listener.lost()
    await delay(RETRY_AFTER_MS, undefined, { signal: ending }).catch(() => undefined)
  }
}

/** One connection, from its making to its end; whatever ends it is answered by the next attempt. */
async function listenOnce(url: string, listener: NoticeListener, ending: AbortSignal): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    query_timeout: 2000,
    keepAlive: true,
    application_name: 'watchword revocations',
  })
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  client.on('error', () => end())
  client.on('end', () => end())
  client.on('notification', ({ payload = '' }) => listener.revoked(payload as UserId))
  ending.addEventListener('abort', () => end(), { once: true })
  try {
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    await checkPrimary(client)
    if (!ending.aborted) listener.connected()
    const ping = setInterval(() => void checkPrimary(client).catch(() => end()), PING_EVERY_MS)
    await over
    clearInterval(ping)
  } catch {
    // Not reachable: the caller tells `lost` and tries again.
  }
  // A peer that is gone without a word never confirms the end.
  await Promise.race([client.end().catch(() => undefined), delay(1000, undefined, { ref: false })])
}

/** What was set to be read only was set aside: standing is narrowed elsewhere, and nobody tells of it here. */
async function checkPrimary(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('show transaction_read_only')
  if (rows[0]?.transaction_read_only !== 'off') throw new Error('PostgreSQL is set to be read only.')
}
