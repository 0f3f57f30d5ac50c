import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startApache } from '../../test/support/apache.ts'
import { freePort } from '../../test/support/free-port.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import {
  afterBytes,
  atMessage,
  atStatement,
  nth,
  startTcpProxy,
  type TcpProxy,
} from '../../test/support/tcp-proxy.ts'
import type { Random } from './random.ts'
import { postgresRecords } from './town/records.ts'
import { foundTown, type Town } from './town/town.ts'

/** Between whom the network fails. */
export const spans = ['browser and Apache', 'Apache and server', 'server and database'] as const
export type Span = (typeof spans)[number]

/** A town whose people come through Apache, over networks that fail. */
export interface FarTown {
  readonly town: Town
  readonly networks: Readonly<Record<Span, TcpProxy>>
  close(): Promise<void>
}

export async function foundFarTown(folder: string, random: Random): Promise<FarTown> {
  const postgres = await startPostgres()
  const url = await postgres.createDatabase('town')
  const database = await startTcpProxy({
    to: { path: join(postgres.folder, '.s.PGSQL.5432') },
    protocol: 'postgres',
  })
  const serverPort = await freePort()
  const middle = await startTcpProxy({ to: { host: '127.0.0.1', port: serverPort } })
  const founded = await foundTown({
    ...{ folder, people: 90, newcomers: 30, random, databaseUrl: url },
    env: {
      WATCHWORD_DATABASE: `postgres://postgres@127.0.0.1:${database.port}/town`,
      WATCHWORD_LISTEN: `127.0.0.1:${serverPort}`,
    },
  })
  await founded.records.close()
  const records = await postgresRecords(url)
  const node = await founded.start('least')
  // Without TLS, which would only tell a cut connection from an ended one; else as the virtual host that we print.
  const apache = await startApache({
    vhost: ({ httpPort }) => `
<VirtualHost *:${httpPort}>
  ServerName auth.example.com
  ProxyPreserveHost On
  ProxyPass "/" "http://127.0.0.1:${middle.port}/" retry=0 connectiontimeout=2 timeout=30 ttl=3
</VirtualHost>`,
  })
  const front = await startTcpProxy({ to: { host: '127.0.0.1', port: apache.httpPort } })
  const seen = { ...node, port: front.port }
  return {
    town: { ...founded, nodes: [seen], node: () => seen, records },
    networks: { 'browser and Apache': front, 'Apache and server': middle, 'server and database': database },
    async close() {
      node.agent.destroy()
      await front.stop()
      await apache.stop()
      await records.close()
      await Promise.all(founded.nodes.map((each) => each.kill()))
      await founded.close().catch(() => undefined)
      await Promise.all([middle.stop(), database.stop()])
      await postgres.stop()
    },
  }
}

/** Lets one network fail in one way, and mends it; resolves with how it failed, or `undefined` where nothing fitted. */
export async function failOnce(network: TcpProxy, span: Span, random: Random): Promise<string | undefined> {
  const side = random.pick(['client', 'server'] as const)
  const kind = random.pick(['cut', 'lose', 'lose-answer', 'stall', 'silence', 'slow', 'refuse'] as const)
  try {
    switch (kind) {
      case 'slow':
        network.slow(random.pick([5, 50, 300, 1000, 3000]))
        await delay(random.below(600))
        return 'delays'
      case 'silence':
        network.silence(side)
        await delay(50 + random.below(600))
        return 'one-way silences'
      case 'refuse':
        network.refuse(true)
        await delay(random.below(300))
        return 'refusals of connections'
      default: {
        const at =
          span === 'server and database' && random.below(2) === 0
            ? nth(
                1 + random.below(4),
                atStatement(random.pick([/^commit/i, /^update/i, /^insert/i, /^begin/i])),
              )
            : random.pick([atMessage(side, 1 + random.below(20)), afterBytes(side, random.below(6000))])
        const happened = network.fail({ at, by: kind }).then(() => true)
        const isThere = await Promise.race([happened, delay(3000, false)])
        if (isThere && kind === 'stall') await delay(random.below(400))
        return isThere
          ? { cut: 'cuts', lose: 'losses', 'lose-answer': 'lost answers', stall: 'stalls' }[kind]
          : undefined
      }
    }
  } finally {
    network.mend()
    network.slow(0)
    network.refuse(false)
    // What waits in a silent network is cut with it.
    if (kind === 'silence' || kind === 'stall') network.cut()
    network.speak()
  }
}
