import { connect, type Socket } from 'node:net'

/** Called with the status of an answer; 0 when the connection broke. */
export type OnAnswer = (status: number) => void

/** A request as bytes, made beforehand so that sending it costs nothing but the sending. */
export function request(
  method: string,
  path: string,
  { headers = {}, fields }: { headers?: Readonly<Record<string, string>>; fields?: object } = {},
): Buffer {
  const body = fields === undefined ? '' : JSON.stringify(fields)
  const all = {
    host: 'auth.example.com',
    ...headers,
    ...(fields !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

/**
 * A kept connection that carries one request at a time and looks at the status of the answer only.
 *
 * It shares the cores with the server, so it does as little as it can: no header is parsed but the length.
 */
export class Connection {
  readonly #socket: Socket
  #onAnswer: OnAnswer | undefined
  #partial: Buffer | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => undefined) // 'close' follows, and tells whoever waits.
    socket.on('close', () => this.#answer(0))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
    })
  }

  send(bytes: Buffer, onAnswer: OnAnswer): void {
    if (this.#onAnswer !== undefined) throw new Error('The connection still waits for an answer.')
    this.#onAnswer = onAnswer
    if (this.#socket.destroyed) queueMicrotask(() => this.#answer(0))
    else this.#socket.write(bytes)
  }

  /** As `send`, for whoever is in no hurry. */
  ask(bytes: Buffer): Promise<number> {
    return new Promise((resolve) => this.send(bytes, resolve))
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const bytes = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk])
    const size = answerSize(bytes)
    if (size === undefined || bytes.length < size) {
      this.#partial = bytes
      return
    }
    this.#partial = undefined
    this.#answer(statusOf(bytes))
  }

  #answer(status: number): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.(status)
  }
}

/** `HTTP/1.1 200`: the digits are at a fixed place (RFC 9112 §4). */
function statusOf(bytes: Buffer): number {
  return Number(bytes.toString('latin1', 9, 12))
}

/** Length of head and body; `undefined` until the head is complete. */
function answerSize(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end + 2)
  if (/transfer-encoding: *chunked/i.test(head)) {
    // The last chunk is empty, and no trailer follows (RFC 9112 §7.1).
    return bytes
      .subarray(end + 4)
      .toString('latin1')
      .endsWith('0\r\n\r\n')
      ? bytes.length
      : undefined
  }
  const [, length] = /content-length: *(\d+)/i.exec(head) ?? []
  if (length === undefined)
    throw new Error('An answer without Content-Length, which this client cannot read.')
  return end + 4 + Number(length)
}
