import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Which way something goes: from who connected, or from whom it connected to. */
export type Side = 'client' | 'server'

/** One message of a protocol, or, where none is known, one piece of what was sent. */
export interface WireMessage {
  readonly from: Side
  /** The letter of PostgreSQL's protocol, `startup` for the first; empty for bytes. */
  readonly type: string
  /** The whole of it as it is sent. */
  readonly bytes: Buffer
}

/** What goes wrong, once, at the first message that fits. */
export interface Fault {
  readonly at: (message: WireMessage) => boolean
  /**
   * - `lose`: it is not passed on, and the connection is cut.
   * - `lose-answer`: it is passed on; the whole answer is waited for, thrown away, and the connection is cut.
   * - `cut`: it is passed on, and the connection is cut at once; whether it was acted on, nobody can say.
   * - `stall`: nothing more is passed on either way, and the connection stays open until `cut` or `stop`.
   */
  readonly by: 'lose' | 'lose-answer' | 'cut' | 'stall'
}

/** A network between two programs, on a port of loopback, that fails as it is told to. */
export interface TcpProxy {
  readonly port: number
  /** Open connections. */
  connections(): number
  /** Lets one connection fail; resolves when it has, whatever it is. */
  fail(fault: Fault): Promise<void>
  /** Takes back all faults that have not come yet. */
  mend(): void
  /** Each message is passed on so many milliseconds later; 0 for at once. */
  slow(ms: number): void
  /** Takes no connections (they are cut as they come), and cuts those that are open; or takes them again. */
  refuse(isRefusing: boolean): void
  /** Passes nothing on from one side, or from both, and cuts nothing; `speak` ends it, and nothing is lost. */
  silence(...from: readonly Side[]): void
  speak(): void
  /** Cuts all open connections by a reset. */
  cut(): void
  stop(): Promise<void>
}

export interface TcpProxyOptions {
  readonly to: NetConnectOpts
  /** Parts the stream into messages; without it, into the pieces that arrive. */
  readonly protocol?: 'postgres'
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** The answer that is coming is lost, and then the connection. */
  loses: (() => void) | undefined
  stalled: boolean
}

/** Starts to pass on connections. */
export async function startTcpProxy({ to, protocol }: TcpProxyOptions): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  const faults: { readonly fault: Fault; happened(): void }[] = []
  let slowMs = 0
  let isRefusing = false
  let silent: readonly Side[] = []
  let spoken = Promise.withResolvers<void>()

  // Half-open: who stops sending may still listen.
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (isRefusing) {
      client.on('error', () => {}).resetAndDestroy()
      return
    }
    const server = connect({ allowHalfOpen: true, noDelay: true, ...to })
    const pair: Pair = { client, server, loses: undefined, stalled: false }
    pairs.add(pair)
    void Promise.allSettled([pass(pair, 'client'), pass(pair, 'server')]).then(() => close(pair))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  return {
    port: (listener.address() as AddressInfo).port,
    connections: () => pairs.size,
    fail(fault) {
      const { promise, resolve } = Promise.withResolvers<void>()
      faults.push({ fault, happened: resolve })
      return promise
    },
    mend: () => void faults.splice(0),
    slow: (ms) => {
      slowMs = ms
    },
    refuse(value) {
      isRefusing = value
      if (value) cutAll()
    },
    silence: (...from) => {
      silent = from.length === 0 ? ['client', 'server'] : from
    },
    speak() {
      silent = []
      spoken.resolve()
      spoken = Promise.withResolvers<void>()
    },
    cut: cutAll,
    async stop() {
      cutAll()
      listener.close()
      await once(listener, 'close')
    },
  }

  function cutAll(): void {
    for (const pair of pairs) close(pair)
  }

  function close(pair: Pair): void {
    pairs.delete(pair)
    // A Unix socket has no reset.
    for (const socket of [pair.client, pair.server]) {
      socket.on('error', () => {})
      if (socket.remoteAddress === undefined) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  /** Passes on what comes from one side, until it ends, or fails, which ends the other way too. */
  async function pass(pair: Pair, from: Side): Promise<void> {
    const [source, target] = from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client]
    const messages = protocol === 'postgres' ? postgresMessages(from) : pieces(from)
    try {
      for await (const chunk of source) {
        for (const message of messages(chunk as Buffer)) {
          if (slowMs > 0) await delay(slowMs)
          while (silent.includes(from)) await spoken.promise
          if (!pairs.has(pair)) return
          passOne(pair, message, target)
        }
      }
      // Not after a stall, which is an end of nothing.
      if (!pair.stalled) target.end()
    } catch {
      close(pair)
    }
  }

  function passOne(pair: Pair, message: WireMessage, target: Socket): void {
    if (pair.stalled) return
    if (pair.loses !== undefined && message.from === 'server') {
      // ReadyForQuery, which ends every answer; without a protocol the first piece is all of it.
      if (protocol === 'postgres' && message.type !== 'Z') return
      close(pair)
      pair.loses()
      return
    }
    const due = faults.findIndex(({ fault }) => fault.at(message))
    const [found] = due < 0 ? [] : faults.splice(due, 1)
    if (found?.fault.by === 'stall') pair.stalled = true
    if (found?.fault.by === 'lose-answer') pair.loses = found.happened
    const isLost = found?.fault.by === 'lose' || pair.stalled
    if (!isLost) target.write(message.bytes)
    if (found === undefined || pair.loses !== undefined) return
    if (pair.stalled) found.happened()
    else if (isLost) {
      close(pair)
      found.happened()
    } else {
      // What was written has left before the reset, which would throw it away.
      target.end(() => {
        close(pair)
        found.happened()
      })
    }
  }
}

/** A fault at a statement of PostgreSQL's simple or extended protocol, such as `/^commit$/`. */
export const atStatement =
  (pattern: RegExp): Fault['at'] =>
  ({ from, type, bytes }) => {
    if (from !== 'client' || (type !== 'Q' && type !== 'P')) return false
    const [first = '', second = ''] = bytes.subarray(5).toString('utf8').split('\0')
    return pattern.test(type === 'Q' ? first : second)
  }

/** The n-th of those that fit, counted from 1. */
export function nth(n: number, at: Fault['at']): Fault['at'] {
  let seen = 0
  return (message) => at(message) && ++seen === n
}

/** A fault at the n-th message from one side, counted from 1 over all connections. */
export const atMessage = (from: Side, n: number): Fault['at'] => nth(n, (message) => message.from === from)

/** A fault once so many bytes have come from one side, over all connections. */
export function afterBytes(from: Side, bytes: number): Fault['at'] {
  let seen = 0
  return (message) => {
    if (message.from !== from) return false
    seen += message.bytes.length
    return seen >= bytes
  }
}

type Splitter = (chunk: Buffer) => WireMessage[]

const pieces =
  (from: Side): Splitter =>
  (chunk) => [{ from, type: '', bytes: chunk }]

/** PostgreSQL's protocol 3: a letter and a length, but for the first message of a client, which has no letter. */
function postgresMessages(from: Side): Splitter {
  let rest: Buffer = Buffer.alloc(0)
  let isFirst = from === 'client'
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const found: WireMessage[] = []
    for (;;) {
      const head = isFirst ? 0 : 1
      if (rest.length < head + 4) return found
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return found
      const type = isFirst ? 'startup' : String.fromCharCode(rest[0] ?? 0)
      found.push({ from, type, bytes: rest.subarray(0, length) })
      rest = rest.subarray(length)
      isFirst = false
    }
  }
}
