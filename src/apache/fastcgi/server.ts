import { type AddressInfo, createServer, isIPv4, type Server, type Socket } from 'node:net'
import type { AuthorizerAnswer } from '../../authorizer/answer.ts'
import { callerProof } from '../../domain/caller-proof.ts'
import {
  type AuthorizerHandler,
  type AuthorizerWatch,
  Connection,
  type ConnectionTimes,
} from './connection.ts'
import type { AuthorizerParams } from './params.ts'

export interface AuthorizerServerOptions {
  /** An address of this machine itself, `127.0.0.1` or `::1`: mod_authnz_fcgi has no Unix sockets, nor encryption. */
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Whether several processes wait there, among which the system shares connections out; not on port 0, nor off Linux. */
  readonly isShared?: boolean
  /** What Apache shows as `WW_SECRET`: any local user can connect, and only Apache can ask (SEC-FCGI-5). */
  readonly secret: string
  readonly handle: AuthorizerHandler
  readonly watch?: AuthorizerWatch
  /** Shorter times, for tests. */
  readonly times?: Partial<ServerTimes>
}

export interface ServerTimes extends ConnectionTimes {
  /** Longest wait of a connection before it is served; then it is closed, which Apache tells as 500. */
  readonly waitMs: number
}

export interface AuthorizerServer {
  /** As `AuthnzFcgiDefineProvider` takes it: `fcgi://127.0.0.1:9001`. */
  readonly address: string
  /** Takes no more connections, answers those that are open, and resolves when all are closed. */
  stop(): Promise<void>
}

/** The authorizer cannot listen; the message says what to do. */
export class AuthorizerListenError extends Error {
  override readonly name = 'AuthorizerListenError'
}

/** Connections that are served at once (SEC-FCGI-6). */
export const SERVED_MAXIMUM = 64

/** Connections that wait, unread, for one of those to end; more are closed at once. */
export const WAITING_MAXIMUM = 1024

/** Decisions under way, those included that nobody waits for any more. */
const DECISIONS_MAXIMUM = 256

/** How long open connections may take once the server stops: a wait, a request and a decision. */
const STOP_PATIENCE_MS = 6000

/** As short as Apache needs it: a connection brings its request at once (SEC-FCGI-6, SEC-FCGI-7). */
const usualTimes: ServerTimes = { waitMs: 2000, idleMs: 200, readMs: 1000, decideMs: 2000 }

/**
 * Starts to answer mod_authnz_fcgi on a port of loopback.
 *
 * @throws AuthorizerListenError where the address is of no loopback, or taken; RangeError for a short secret.
 */
export async function startAuthorizerServer(options: AuthorizerServerOptions): Promise<AuthorizerServer> {
  const { host, watch = {} } = options
  if (!isLoopback(host)) {
    throw new AuthorizerListenError(`${host} is not an address of this machine itself: use 127.0.0.1 or ::1`)
  }
  const admission = createAdmission(options, watch)
  // Unread until they are served, and half-open: see `Connection`.
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', ignoreReset)
    admission.admit(socket)
  })
  await listen(server, options)
  // Such as no more file descriptors: that connection is lost, and the next may come.
  server.on('error', (error) => watch.failed?.(error))
  return { address: addressOf(server), stop: () => stop(server, admission) }
}

/**
 * Makes sure that nobody else waits at an address that several processes are about to share: they would share it with them.
 *
 * @throws AuthorizerListenError where it is taken.
 */
export async function checkFree(address: { readonly host: string; readonly port: number }): Promise<void> {
  const server = createServer()
  await listen(server, address)
  await new Promise((resolve) => server.close(resolve))
}

/** Whoever resets a connection gets no answer on it; 'close' follows. */
function ignoreReset(): void {}

interface Admission {
  /** Serves a connection, lets it wait, or closes it. */
  admit(socket: Socket): void
  /** Closes all that are open. */
  destroyAll(): void
}

function createAdmission(options: AuthorizerServerOptions, watch: AuthorizerWatch): Admission {
  const times: ServerTimes = { ...usualTimes, ...options.times }
  const desk = {
    watch,
    times,
    isCaller: callerProof(options.secret),
    decide: limitedDecisions(options.handle),
  }
  const everyMs = Math.ceil(Math.min(times.idleMs, times.readMs, times.decideMs) / 4)
  const waiting = new Map<Socket, NodeJS.Timeout>()
  const served = new Set<Connection>()
  /** One for all that are served: timers of their own cost each of them a thirtieth. */
  let clock: NodeJS.Timeout | undefined

  return {
    admit(socket) {
      if (served.size < SERVED_MAXIMUM) serve(socket)
      else if (waiting.size < WAITING_MAXIMUM) letWait(socket)
      else turnAway(socket)
    },
    destroyAll() {
      for (const socket of waiting.keys()) socket.destroy()
      for (const connection of served) connection.destroy()
    },
  }

  function letWait(socket: Socket): void {
    const giveUp = () => {
      waiting.delete(socket)
      turnAway(socket)
    }
    waiting.set(socket, setTimeout(giveUp, times.waitMs))
  }

  function serve(socket: Socket): void {
    served.add(new Connection(socket, desk, leave))
    clock ??= setInterval(checkTimes, everyMs).unref()
  }

  function leave(connection: Connection): void {
    served.delete(connection)
    if (waiting.size > 0) serveNext()
  }

  function serveNext(): void {
    for (const [socket, timer] of waiting) {
      if (served.size >= SERVED_MAXIMUM) return
      waiting.delete(socket)
      clearTimeout(timer)
      if (!socket.destroyed) serve(socket)
    }
  }

  function checkTimes(): void {
    if (served.size === 0) {
      clearInterval(clock)
      clock = undefined
      return
    }
    // After a stall of this process its timers come before bytes that wait: those are read first.
    setImmediate(() => {
      const now = performance.now()
      for (const connection of served) connection.checkTimes(now)
    })
  }

  function turnAway(socket: Socket): void {
    socket.destroy()
    watch.refused?.('busy')
  }
}

/** A handler that hangs is not called without end: a connection that was given up does not take its decision along. */
function limitedDecisions(handle: AuthorizerHandler) {
  let underWay = 0
  return (request: AuthorizerParams): Promise<AuthorizerAnswer> | undefined => {
    if (underWay >= DECISIONS_MAXIMUM) return undefined
    underWay++
    return decide(request)
  }

  // Also a handler that throws before it waits for anything gives a rejection.
  async function decide(request: AuthorizerParams): Promise<AuthorizerAnswer> {
    try {
      return await handle(request)
    } finally {
      underWay--
    }
  }
}

const isLoopback = (host: string): boolean => (isIPv4(host) && host.startsWith('127.')) || host === '::1'

async function listen(
  server: Server,
  { host, port, isShared = false }: Pick<AuthorizerServerOptions, 'host' | 'port' | 'isShared'>,
): Promise<void> {
  const reusePort = isShared && port !== 0 && process.platform === 'linux'
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `${host}:${port} cannot be used (${cause.code ?? 'unknown error'}). Stop what listens there, or set another port.`
      reject(new AuthorizerListenError(message, { cause }))
    })
    // Each request of Apache is a new connection: bursts wait in the queue of the system.
    server.listen({ host, port, backlog: 1024, reusePort }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo
  return `fcgi://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function stop(server: Server, admission: Admission): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => admission.destroyAll(), STOP_PATIENCE_MS)
    server.close(() => {
      clearTimeout(patience)
      resolve()
    })
  })
}
