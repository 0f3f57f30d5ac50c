import { connect } from 'node:net'
import { AUTHORIZER, encodePairs, encodeRecord, HEADER_BYTES, recordType } from '../../fastcgi/records.ts'

/** What the authorizer does with somebody who asks without the secret. */
export type AuthorizerReply = 'refuses' | 'admits' | 'silent'

const PATIENCE_MS = 5000

/** Asks as any program of this machine could: for a place, and with no secret (SEC-FCGI-5). */
export function askAuthorizer(authorizer: {
  readonly host: string
  readonly port: number
}): Promise<AuthorizerReply> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    const socket = connect(authorizer, () => socket.write(question))
    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      // An answer is a few hundred bytes: who sends more is somebody else.
      if (received.length > 65_536) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(patience)
      resolve(replyIn(received))
    })
  })
}

const question = Buffer.concat([
  encodeRecord(recordType.beginRequest, 1, Uint8Array.of(0, AUTHORIZER, 0, 0, 0, 0, 0, 0)),
  encodeRecord(
    recordType.params,
    1,
    encodePairs([
      ['WW_POLICY', 'password'],
      ['REMOTE_ADDR', '127.0.0.1'],
      ['REQUEST_METHOD', 'GET'],
    ]),
  ),
  encodeRecord(recordType.params, 1, new Uint8Array()),
])

/** Apache takes an answer without a status for an allow (M-01), so only a status of refusal is one. */
function replyIn(bytes: Buffer): AuthorizerReply {
  if (bytes.length < HEADER_BYTES || bytes[1] !== recordType.stdout) return 'silent'
  const status = /^Status: (\d{3})/.exec(bytes.toString('latin1', HEADER_BYTES))?.[1]
  return status !== undefined && Number(status) >= 400 ? 'refuses' : 'admits'
}
