import { chmodSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Bindings } from './endpoint.ts'
import type { Peer } from './guards/client-address.ts'

/** Where to wait for requests. */
export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /**
   * A socket of this path; `mode` says who may connect. `openedElsewhere` is for workers: another process makes the socket,
   * and has seen to what was there, and to it that nobody connects before the mode is set.
   */
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number; readonly openedElsewhere?: true }
  /** A socket that Phusion Passenger chooses: it has taken over `listen` in this process. */
  | { readonly kind: 'passenger' }

/** Somebody else waits at this address, or it cannot be used; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

export interface RunningServer {
  /** Where it waits, as a URL or a path. */
  readonly address: string
  /** Takes no more requests, answers those that are open, and resolves when all are. */
  stop(): Promise<void>
}

/** Largest headers of a request, in bytes; Apache is configured to let no larger ones through (SEC-API-5). */
const HEADERS_MAXIMUM = 16 * 1024

/** How long a refused connection is still read, in milliseconds. */
const LINGER_MS = 1000

/** How long open requests may take once the server stops, in milliseconds. */
const STOP_PATIENCE_MS = 10_000

/** Starts to serve the application. */
export async function startServer(
  app: Hono<{ Bindings: Bindings }>,
  listen: Listen,
  errorHeaders: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  const unixPeer: Peer = { kind: 'unix' }
  const server = createAdaptorServer({
    fetch: (request, { incoming }) => app.fetch(request, { peer: peerOf(incoming as IncomingMessage) }),
    serverOptions: {
      maxHeaderSize: HEADERS_MAXIMUM,
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5000,
    },
  }) as Server
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy()
    refuse(refusalOf(error), socket, errorHeaders)
  })
  // Without an answer a proxy would tell its client that we failed (RFC 9110 §9.3.6).
  server.on('connect', (_, socket: Socket) => {
    // It is no longer the server's: nobody else hears of a reset, nor reads what still comes.
    socket.on('error', () => {}).resume()
    refuse(noTunnel, socket, errorHeaders)
  })
  await startListening(server, listen)
  return { address: addressOf(server, listen), stop: () => stop(server) }

  function peerOf(incoming: IncomingMessage): Peer {
    return listen.kind === 'tcp' ? { kind: 'tcp', address: incoming.socket.remoteAddress ?? '' } : unixPeer
  }
}

function startListening(server: Server, listen: Listen): Promise<void> {
  switch (listen.kind) {
    case 'tcp':
      return listenOnPort(server, listen)
    case 'unix':
      return listenOnSocket(server, listen)
    case 'passenger':
      return listenForPassenger(server)
  }
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    start()
  })
}

async function listenOnPort(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await listening(server, () => server.listen({ host, port, backlog: 1024 }))
  } catch (cause) {
    throw new ListenError(
      `${host}:${port} cannot be used (${codeOf(cause)}). Stop what listens there, or set listen.`,
      {
        cause,
      },
    )
  }
}

async function listenOnSocket(
  server: Server,
  { path, mode, openedElsewhere }: Listen & { kind: 'unix' },
): Promise<void> {
  if (openedElsewhere === undefined) await removeStaleSocket(path)
  // Nobody may connect between the making of the socket and its mode.
  const umask = process.umask(0o777)
  try {
    await listening(server, () => server.listen({ path, backlog: 1024 }))
    chmodSync(path, mode)
  } catch (cause) {
    throw new ListenError(
      `${path} cannot be used (${codeOf(cause)}). Its folder must exist and be writable.`,
      { cause },
    )
  } finally {
    process.umask(umask)
  }
}

/** Passenger connects as root, or as the user we are; whoever else could connect would be believed about addresses. */
async function listenForPassenger(server: Server): Promise<void> {
  const umask = process.umask(0o177)
  try {
    await listening(server, () => server.listen())
  } finally {
    process.umask(umask)
  }
}

/**
 * Removes a socket that a killed server left behind.
 *
 * @throws ListenError where one answers, or something else has that name.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket())
    throw new ListenError(`${path} exists and is no socket. Remove it, or set listen to another path.`)
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (answers) throw new ListenError(`Another server listens on ${path}. Stop it first.`)
  rmSync(path)
}

/** Status line, code and sentence of an answer that Node would not let the application give. */
type ServerRefusal = readonly [status: string, code: string, sentence: string]

const noTunnel: ServerRefusal = ['501 Not Implemented', 'not_implemented', 'No tunnels are opened here.']

/** What is said of a request that Node could not read. */
function refusalOf({ code }: NodeJS.ErrnoException): ServerRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'headers_too_large', 'The headers are too large.']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'timeout', 'The request took too long to arrive.']
    default:
      return ['400 Bad Request', 'bad_request', 'This is not a request that HTTP allows.']
  }
}

/** Answers in our words, with our headers, and ends the connection. */
function refuse(
  [status, code, sentence]: ServerRefusal,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (socket.writableEnded || socket.destroyed) return
  const body = JSON.stringify({ error: sentence, code })
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`)
  // Whoever is still sending (Apache, 64 KiB of headers) gets the answer only if we go on reading meanwhile.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A kept connection that falls idle after the server stopped listening would hold it up for its whole time-out.
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    const deadline = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE_MS)
    server.close(() => {
      clearInterval(idle)
      clearTimeout(deadline)
      resolve()
    })
  })
}

function addressOf(server: Server, listen: Listen): string {
  if (listen.kind === 'unix') return listen.path
  if (listen.kind === 'passenger') return 'the socket of Passenger'
  const { port } = server.address() as AddressInfo
  return `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown error'
