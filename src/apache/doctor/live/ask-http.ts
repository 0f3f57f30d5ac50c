import { connect, isIP, type Socket } from 'node:net'
import { connect as connectEncrypted } from 'node:tls'

/** A request as it is written, to a server of this machine. */
export interface Question {
  readonly host: string
  readonly port: number
  readonly isEncrypted: boolean
  /** For `Host`, and for SNI where encrypted. */
  readonly name: string
  readonly method: string
  /** Sent as it stands, whatever it is. */
  readonly target: string
  readonly headers?: readonly string[]
}

const PATIENCE_MS = 5000

/** What a header of an answer may take up; the rest is not read. */
const HEAD_MAXIMUM = 65_536

/** The status of the answer; `undefined` where nobody answers. Bodies are not read. */
export function askHttp(question: Question): Promise<number | undefined> {
  return new Promise((resolve) => {
    let head = ''
    const socket = open(question, () => socket.write(textOf(question)))
    const patience = setTimeout(() => settle(undefined), PATIENCE_MS)
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1')
      const status = /^HTTP\/1\.[01] (\d{3})[ \r\n]/.exec(head)?.[1]
      if (status !== undefined && head.includes('\n')) settle(Number(status))
      else if (head.length > HEAD_MAXIMUM) settle(undefined)
    })
    // Nobody there, or a connection that is cut: 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => settle(undefined))

    function settle(status: number | undefined): void {
      clearTimeout(patience)
      socket.destroy()
      resolve(status)
    }
  })
}

function open({ host, port, isEncrypted, name }: Question, ready: () => void): Socket {
  if (!isEncrypted) return connect({ host, port }, ready)
  // An address is no name for SNI (RFC 6066 §3).
  const servername = isIP(name) === 0 ? name : ''
  // It is our own machine, and nothing secret is sent: who signed the certificate does not matter.
  return connectEncrypted(
    { host, port, servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
    ready,
  )
}

const textOf = ({ method, target, name, port, headers = [] }: Question): string =>
  [`${method} ${target} HTTP/1.1`, `Host: ${name}:${port}`, 'Connection: close', ...headers, '', ''].join(
    '\r\n',
  )

/** Whether something takes connections there. */
export function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const patience = setTimeout(() => settle(false), 1000)
    socket.on('connect', () => settle(true))
    socket.on('error', () => settle(false))

    function settle(taken: boolean): void {
      clearTimeout(patience)
      socket.destroy()
      resolve(taken)
    }
  })
}
