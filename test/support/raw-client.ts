import net, { type Socket } from 'node:net'
import tls from 'node:tls'

/** Where bytes go: over TLS for a name, in the clear without one, or to a Unix socket. */
export type RawAddress = { readonly port: number; readonly serverName?: string } | { readonly path: string }

export interface RawAnswer {
  readonly status: number
  /** Names in small letters, in the order in which they came. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** One line and headers as they are to be written, byte for byte; each character is a byte. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body?: string
}

/**
 * A client that writes what it is given and keeps its connection as long as the server does: other clients tidy targets
 * and headers up.
 */
export class RawClient {
  readonly #address: RawAddress
  readonly #patience: number
  #socket: Socket | undefined

  /** @param patience how long an answer may take, in seconds. */
  constructor(address: RawAddress, patience = 60) {
    this.#address = address
    this.#patience = patience
  }

  /** Gives up when the answer takes too long. */
  async send({ method, target, headers, body = '' }: RawRequest): Promise<RawAnswer> {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
    const bytes = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`, 'latin1')
    const kept = this.#socket
    this.#socket = undefined
    // One that the server closed meanwhile takes bytes and says nothing any more.
    const isKept = kept?.writable === true && kept.readable
    const socket = isKept ? kept : this.#connect()
    // What a reset says after all was read is nobody's concern.
    if (!isKept) socket.on('error', () => {})
    const answer = await exchange(socket, bytes, { method, patience: this.#patience })
    // The server may let go of a kept connection just when it is used.
    if (answer === undefined && isKept) return this.send({ method, target, headers, body })
    if (answer === undefined) throw new Error(`no answer: ${method} ${target}`)
    if (answer.isKept) this.#socket = socket
    else socket.destroy()
    return answer
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(): Socket {
    if ('path' in this.#address) return net.connect(this.#address.path)
    const { port, serverName } = this.#address
    const to = { host: '127.0.0.1', port }
    // One certificate serves all hosts of a test.
    return serverName === undefined
      ? net.connect(to)
      : tls.connect({ ...to, servername: serverName, rejectUnauthorized: false })
  }
}

/** Works through a list with so many clients at a time. */
export async function withRawClients<T>(
  address: RawAddress,
  list: readonly T[],
  work: (client: RawClient, item: T) => Promise<void>,
  clients = 6,
): Promise<void> {
  const queue = list.values()
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new RawClient(address)
      try {
        for (const item of queue) await work(client, item)
      } finally {
        client.close()
      }
    }),
  )
}

/** The first value of a header. */
export const headerOf = ({ headers }: RawAnswer, name: string): string | undefined =>
  headers.find(([each]) => each === name)?.[1]

type Received = RawAnswer & { readonly isKept: boolean }

function exchange(
  socket: Socket,
  bytes: Buffer,
  { method, patience: seconds }: { readonly method: string; readonly patience: number },
): Promise<Received | undefined> {
  return new Promise((resolve, reject) => {
    let text = ''
    const finish = (answer: Received | undefined) => {
      clearTimeout(patience)
      socket.off('data', read).off('error', end).off('close', end)
      // A socket that nobody reads does not learn that the server closed it.
      socket.resume()
      resolve(answer)
    }
    const patience = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no whole answer after ${seconds} seconds: ${bytes.toString('latin1').slice(0, 200)}`))
    }, seconds * 1000)
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const answer = readAnswer(text, method, false)
      if (answer !== undefined) finish(answer)
    }
    const end = () => finish(readAnswer(text, method, true))
    socket.on('data', read).on('error', end).on('close', end)
    socket.write(bytes)
  })
}

/** Reads a whole answer (RFC 9112 §6.3); `undefined` while there is more to come. */
function readAnswer(text: string, method: string, hasEnded: boolean): Received | undefined {
  const end = text.indexOf('\r\n\r\n')
  const [, code] = /^HTTP\/1\.[01] (\d{3})/.exec(text) ?? []
  if (end < 0 || code === undefined) return undefined
  const status = Number(code)
  const headers = text
    .slice(0, end)
    .split('\r\n')
    .slice(1)
    .map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })
  const rest = text.slice(end + 4)
  if (status < 200) return readAnswer(rest, method, hasEnded)
  const header = (name: string) => headers.find(([each]) => each === name)?.[1]
  const isKept = !/close/i.test(header('connection') ?? '') && !hasEnded
  const length = header('content-length')
  if (method === 'HEAD' || status === 204 || status === 304) return { status, headers, body: '', isKept }
  if (/chunked/i.test(header('transfer-encoding') ?? '')) {
    return rest.endsWith('0\r\n\r\n') || hasEnded ? { status, headers, body: rest, isKept } : undefined
  }
  if (length !== undefined) {
    return rest.length >= Number(length) || hasEnded ? { status, headers, body: rest, isKept } : undefined
  }
  return hasEnded ? { status, headers, body: rest, isKept: false } : undefined
}
