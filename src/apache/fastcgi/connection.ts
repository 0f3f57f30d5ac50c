import type { Socket } from 'node:net'
import type { AuthorizerAnswer } from '../../authorizer/answer.ts'
import { serializeAnswer, UNSOUND_ANSWER } from './answer.ts'
import { createDecoder, type FastcgiEvent, type Fault, type FaultReason } from './decoder.ts'
import { type AuthorizerParams, callerSecretOf, readParams } from './params.ts'
import { encodeAnswer, encodeUnknownRole, encodeUnknownType, encodeValues } from './records.ts'

/** Decides on one request; a rejection is answered with 503. */
export type AuthorizerHandler = (request: AuthorizerParams) => Promise<AuthorizerAnswer>

/** Why a connection ended without a decision of the handler. */
export type Refusal =
  | FaultReason
  /** Too many connections, or too many decisions under way. */
  | 'busy'
  /** Nothing came for a while, or the request took too long to come. */
  | 'idle'
  | 'slow'
  /** The client ended before its request did, or took it back. */
  | 'ended'
  | 'aborted'
  /** The secret of the caller was missing or wrong. */
  | 'caller'
  /** The handler did not answer in time. */
  | 'deadline'

/** What is told about the work, for metrics and the log: never a value of a request. May not throw. */
export interface AuthorizerWatch {
  /** The handler's answer was sent, `milliseconds` after the request was complete. */
  answered?(kind: AuthorizerAnswer['kind'], milliseconds: number): void
  refused?(why: Refusal): void
  /** The handler threw this, or the server had a fault; or an answer could not be written down. */
  failed?(error: unknown): void
}

/** Times of one connection, in milliseconds (SEC-FCGI-6, SEC-FCGI-7). */
export interface ConnectionTimes {
  /** Longest silence while a request comes, before its first byte too; shorter than `readMs`. */
  readonly idleMs: number
  /** Longest time a request may take to come. */
  readonly readMs: number
  /** Longest time of a decision. */
  readonly decideMs: number
}

export interface ConnectionDesk {
  readonly times: ConnectionTimes
  readonly watch: AuthorizerWatch
  readonly isCaller: (secret: string | undefined) => boolean
  /** The handler, or `undefined` when too many decisions are under way. */
  decide(request: AuthorizerParams): Promise<AuthorizerAnswer> | undefined
}

const forbidden: AuthorizerAnswer = { kind: 'deny', status: 403, body: 'page' }
const unavailable: AuthorizerAnswer = { kind: 'deny', status: 503, body: 'page', retryAfter: 1 }

/** What this server says of itself (FastCGI 1.0 §4.1): one request a connection, as mod_authnz_fcgi makes them. */
const values: ReadonlyMap<string, string> = new Map([['FCGI_MPXS_CONNS', '0']])

/**
 * Serves the one request of a connection and closes it, also where the client would keep it open.
 *
 * Every way out but the handler's own "allow" leaves the door closed: a connection that ends without an answer is a
 * 500 of Apache.
 */
export function serveConnection(socket: Socket, desk: ConnectionDesk): void {
  const { times, watch } = desk
  const decoder = createDecoder()
  let phase: 'reading' | 'deciding' | 'over' = 'reading'
  const opened = performance.now()
  const idle = setTimeout(checkIdle, times.idleMs)
  let deadline: NodeJS.Timeout | undefined

  socket.on('data', (chunk: Buffer) => {
    if (phase === 'over') return
    if (phase === 'reading') idle.refresh()
    const events = decoder.push(chunk)
    // What ends in a fault asks for nothing, whatever stood before.
    const last = events.at(-1)
    for (const event of last?.kind === 'fault' ? [last] : events) take(event)
    // Nearly all requests come in one piece, and need no such time.
    if (phase === 'reading')
      deadline ??= setTimeout(() => refuse('slow'), opened + times.readMs - performance.now())
  })
  socket.on('end', () => {
    // A client that has said all may end its side and still wait for the answer.
    if (phase === 'reading') refuse('ended')
  })
  socket.on('close', settle)
  socket.resume()

  function take(event: FastcgiEvent): void {
    if (phase === 'over') return
    switch (event.kind) {
      case 'request':
        judge(event.id, event.params)
        return
      case 'abort':
        // Never an end without a status, which would be an allow.
        deny(event.id, unavailable, 'aborted')
        return
      case 'get-values':
        socket.write(encodeValues(event.names, values))
        return
      case 'unknown-type':
        socket.write(encodeUnknownType(event.type))
        return
      case 'fault':
        refuseFault(event)
        return
    }
  }

  function judge(id: number, params: ReadonlyMap<string, string>): void {
    clearTimeout(idle)
    clearTimeout(deadline)
    if (!desk.isCaller(callerSecretOf(params))) {
      deny(id, forbidden, 'caller')
      return
    }
    const decision = desk.decide(readParams(params))
    if (decision === undefined) deny(id, unavailable, 'busy')
    else awaitDecision(id, decision)
  }

  function awaitDecision(id: number, decision: Promise<AuthorizerAnswer>): void {
    phase = 'deciding'
    const since = performance.now()
    deadline = setTimeout(() => deny(id, unavailable, 'deadline'), times.decideMs)
    decision.then(
      (given) => {
        if (phase === 'over') return
        const content = serializeAnswer(given)
        answer(id, content)
        if (content === UNSOUND_ANSWER) watch.failed?.(new Error('an answer could not be written safely'))
        else watch.answered?.(given.kind, performance.now() - since)
      },
      (error: unknown) => {
        if (phase !== 'over') answer(id, serializeAnswer(unavailable))
        watch.failed?.(error)
      },
    )
  }

  function deny(id: number, denial: AuthorizerAnswer, why: Refusal): void {
    answer(id, serializeAnswer(denial))
    watch.refused?.(why)
  }

  function answer(id: number, content: Buffer): void {
    settle()
    sendLast(encodeAnswer(id, content))
  }

  function refuseFault({ reason, id }: Fault): void {
    settle()
    if (reason === 'role') sendLast(encodeUnknownRole(id))
    else socket.destroy()
    watch.refused?.(reason)
  }

  /**
   * Closing at once when it is written spares the call that ends one direction first: a tenth of a request. Closing in
   * the callback of what is written already makes Node construct an error that nobody sees: as much again.
   */
  function sendLast(bytes: Buffer): void {
    socket.write(bytes)
    if (socket.writableLength === 0) socket.destroy()
    else socket.end(() => socket.destroy())
  }

  function refuse(why: Refusal): void {
    settle()
    socket.destroy()
    watch.refused?.(why)
  }

  /** After a stall of this process its timers come before bytes that wait: those are read first. */
  function checkIdle(): void {
    const read = socket.bytesRead
    setImmediate(() => {
      if (phase === 'reading' && socket.bytesRead === read) refuse('idle')
    })
  }

  function settle(): void {
    phase = 'over'
    clearTimeout(idle)
    clearTimeout(deadline)
  }
}
