import { connect } from 'node:net'
import { recordsOf, requestStream } from './fastcgi-streams.ts'

/** What came back on one connection until it was closed. */
export interface FastcgiReply {
  readonly records: ReturnType<typeof recordsOf>
  /** The status of the answer; `undefined` where there is none. */
  readonly status: number | undefined
  readonly milliseconds: number
}

export interface AskOptions {
  /** Ends its own side after the last chunk. */
  readonly end?: boolean
  /** Resets the connection after the last chunk. */
  readonly reset?: boolean
  /** Milliseconds between chunks. */
  readonly pause?: number
}

export const SECRET = 'canary-secret-of-the-caller-6f1d'

/** A request as Apache would send it for a browser with this cookie. */
export const request = (cookie: string, secret: string | undefined = SECRET, id = 1, flags = 0): Buffer =>
  requestStream(
    [
      ['WW_POLICY', 'two-factor'],
      ...(secret === '' ? [] : [['WW_SECRET', secret] as const]),
      ['HTTP_COOKIE', cookie],
      ['REMOTE_ADDR', '192.0.2.1'],
      ['REQUEST_METHOD', 'GET'],
    ],
    id,
    flags,
  )

/** One connection to `fcgi://host:port`; gives up after a minute. */
export function ask(
  address: string,
  chunks: readonly Buffer[],
  options: AskOptions = {},
): Promise<FastcgiReply> {
  const { hostname, port } = new URL(address)
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port), noDelay: true })
    const received: Buffer[] = []
    const patience = setTimeout(() => {
      socket.destroy()
      reject(new Error('no end after a minute'))
    }, 60_000)
    socket.on('data', (data: Buffer) => received.push(data))
    // A reset is one way to be refused; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(patience)
      const records = recordsOf(Buffer.concat(received))
      const output = records.find(({ type }) => type === 6)?.content.toString()
      const status = output === undefined ? undefined : Number(/^Status: (\d{3}) /.exec(output)?.[1])
      resolve({ records, status, milliseconds: performance.now() - started })
    })
    socket.on('connect', () => void send())

    async function send(): Promise<void> {
      for (const chunk of chunks) {
        if (socket.destroyed) return
        socket.write(chunk)
        if (options.pause !== undefined) await new Promise((resume) => setTimeout(resume, options.pause))
      }
      if (options.end) socket.end()
      if (options.reset) socket.resetAndDestroy()
    }
  })
}
