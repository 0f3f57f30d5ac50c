import net from 'node:net'
import tls from 'node:tls'
import type { RawAddress } from '../../test/support/raw-client.ts'

/** How long the other side may take to answer and close, in milliseconds; longer is a fault of the trial's round. */
const PATIENCE_MS = 30_000

/** Writes bytes (a character each) and ends; gives all that came until the other side ended, too. */
export function answersTo(address: RawAddress, stream: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket =
      'path' in address
        ? net.connect(address.path)
        : address.serverName === undefined
          ? net.connect(address.port, '127.0.0.1')
          : tls.connect({
              ...{ host: '127.0.0.1', port: address.port, servername: address.serverName },
              rejectUnauthorized: false,
            })
    let got = ''
    const patience = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${PATIENCE_MS} ms: ${JSON.stringify(stream.slice(0, 300))}`))
    }, PATIENCE_MS)
    socket.setEncoding('latin1')
    socket.on('data', (part) => {
      got += part
    })
    // A reset says that the other side had enough; what came before counts.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(patience)
      resolve(got)
    })
    socket.end(Buffer.from(stream, 'latin1'))
  })
}

export type Answers =
  | { readonly kind: 'answers'; readonly statuses: readonly number[] }
  | { readonly kind: 'garbled'; readonly at: string }

/** Reads one answer behind the other (RFC 9112 §6.3); the last may be cut off, or may be without a head (HTTP/0.9). */
export function readAnswers(text: string): Answers {
  const statuses: number[] = []
  let rest = text
  while (rest !== '') {
    const [whole, version = '', code = ''] = /^HTTP\/1\.([01]) (\d{3})[^\r\n]*\r\n/.exec(rest) ?? []
    if (whole === undefined) {
      return statuses.length === 0 && /^(?:<!DOCTYPE|\{)/i.test(rest)
        ? { kind: 'answers', statuses }
        : { kind: 'garbled', at: rest }
    }
    const end = rest.indexOf('\r\n\r\n')
    const status = Number(code)
    statuses.push(...(status < 200 ? [] : [status]))
    if (end < 0) return { kind: 'answers', statuses }
    const head = rest.slice(0, end).toLowerCase()
    const body = rest.slice(end + 4)
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
    if (status < 200 || status === 204 || status === 304) rest = body
    // An answer to HEAD has the length of what is not there.
    else if (length !== undefined) rest = /^HTTP\/1\./.test(body) ? body : body.slice(Number(length))
    else if (/\r\ntransfer-encoding: chunked/.test(head)) rest = afterChunks(body)
    else return { kind: 'answers', statuses }
    if (version === '0' && rest === '') break
  }
  return { kind: 'answers', statuses }
}

function afterChunks(text: string): string {
  let rest = text
  for (;;) {
    // The chunks of an answer to HEAD are not there either.
    if (/^HTTP\/1\./.test(rest)) return rest
    const [line, size = ''] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? []
    if (line === undefined) return ''
    const length = Number.parseInt(size, 16)
    rest = rest.slice(line.length + length + 2)
    if (length === 0) return rest
  }
}
