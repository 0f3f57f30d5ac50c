import { once } from 'node:events'
import { connect } from 'node:tls'

/** A connection by TLS on which bytes go out as they are. */
export interface Wire {
  write(bytes: string | Uint8Array): void
  /** All that came so far, as soon as this text is part of it; rejects when the other side ends before, or is silent. */
  until(text: string): Promise<string>
  /** All that came, once the other side has ended. */
  rest(): Promise<string>
  close(): void
}

/** Opens a connection to a port of 127.0.0.1, whatever certificate is shown there; it fails after 60 silent seconds. */
export async function openWire(port: number, servername: string): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
  let got = ''
  let ended = false
  socket.setEncoding('latin1')
  socket.setTimeout(60_000, () => socket.destroy(new Error(`silent after: ${got.slice(-500)}`)))
  socket.on('data', (part) => {
    got += part
  })
  socket.on('end', () => {
    ended = true
  })
  // Whoever waits learns of it; nobody may be waiting.
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return {
    write: (bytes) => void socket.write(bytes),
    async until(text) {
      while (!got.includes(text)) {
        if (ended || socket.destroyed) throw new Error(`ended before ${text}: ${got.slice(-500)}`)
        await Promise.race([once(socket, 'data'), once(socket, 'close')])
      }
      return got
    },
    async rest() {
      if (!ended && !socket.destroyed) await once(socket, 'close')
      return got
    },
    close: () => void socket.destroy(),
  }
}
