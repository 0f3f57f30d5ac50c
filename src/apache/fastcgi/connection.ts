import type { Socket } from 'node:net'
import type { AuthorizerAnswer } from '../../authorizer/answer.ts'
import { serializeAnswer, UNSOUND_ANSWER } from './answer.ts'
import { FastcgiDecoder, type FastcgiEvent, type Fault, type FaultReason } from './decoder.ts'
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
export class Connection {
  readonly #socket: Socket
  readonly #desk: ConnectionDesk
  readonly #decoder = new FastcgiDecoder()
  #phase: 'reading' | 'deciding' | 'over' = 'reading'
  #id = 0
  /** When it was opened and when something came last, on the clock of `performance.now()`. */
  readonly #openedAt = performance.now()
  #heardAt = this.#openedAt

  /** `closed` is called when the connection is no more. */
  constructor(socket: Socket, desk: ConnectionDesk, closed: (connection: Connection) => void) {
    this.#socket = socket
    this.#desk = desk
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => {
      // A client that has said all may end its side and still wait for the answer.
      if (this.#phase === 'reading') this.#refuse('ended')
    })
    socket.on('close', () => {
      this.#phase = 'over'
      closed(this)
    })
    socket.resume()
  }

  /** Gives up what takes too long; to be called now and then, when all that had come was read. */
  checkTimes(now: number): void {
    const { idleMs, readMs, decideMs } = this.#desk.times
    if (this.#phase === 'deciding') {
      if (now >= this.#heardAt + decideMs) this.#deny(unavailable, 'deadline')
    } else if (this.#phase === 'reading') {
      if (now >= this.#heardAt + idleMs) this.#refuse('idle')
      else if (now >= this.#openedAt + readMs) this.#refuse('slow')
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#phase === 'over') return
    if (this.#phase === 'reading') this.#heardAt = performance.now()
    const events = this.#decoder.push(chunk)
    // What ends in a fault asks for nothing, whatever stood before.
    const last = events.at(-1)
    if (last?.kind === 'fault') this.#take(last)
    else for (const event of events) this.#take(event)
  }

  #take(event: FastcgiEvent): void {
    if (this.#phase === 'over') return
    switch (event.kind) {
      case 'request':
        this.#id = event.id
        this.#judge(event.params)
        return
      case 'abort':
        // Never an end without a status, which would be an allow.
        this.#id = event.id
        this.#deny(unavailable, 'aborted')
        return
      case 'get-values':
        this.#socket.write(encodeValues(event.names, values))
        return
      case 'unknown-type':
        this.#socket.write(encodeUnknownType(event.type))
        return
      case 'fault':
        this.#refuseFault(event)
        return
    }
  }

  #judge(params: ReadonlyMap<string, string>): void {
    if (!this.#desk.isCaller(callerSecretOf(params))) {
      this.#deny(forbidden, 'caller')
      return
    }
    const decision = this.#desk.decide(readParams(params))
    if (decision === undefined) {
      this.#deny(unavailable, 'busy')
      return
    }
    this.#phase = 'deciding'
    decision.then(
      (given) => this.#give(given),
      (error: unknown) => {
        if (this.#phase !== 'over') this.#answer(serializeAnswer(unavailable))
        this.#desk.watch.failed?.(error)
      },
    )
  }

  #give(given: AuthorizerAnswer): void {
    if (this.#phase === 'over') return
    const { watch } = this.#desk
    const content = serializeAnswer(given)
    this.#answer(content)
    if (content === UNSOUND_ANSWER) watch.failed?.(new Error('an answer could not be written safely'))
    else watch.answered?.(given.kind, performance.now() - this.#heardAt)
  }

  #deny(denial: AuthorizerAnswer, why: Refusal): void {
    this.#answer(serializeAnswer(denial))
    this.#desk.watch.refused?.(why)
  }

  #answer(content: Buffer): void {
    this.#phase = 'over'
    this.#sendLast(encodeAnswer(this.#id, content))
  }

  #refuseFault({ reason, id }: Fault): void {
    this.#phase = 'over'
    if (reason === 'role') this.#sendLast(encodeUnknownRole(id))
    else this.#socket.destroy()
    this.#desk.watch.refused?.(reason)
  }

  /**
   * Closing at once when it is written spares the call that ends one direction first: a tenth of a request. Closing in
   * the callback of what is written already makes Node construct an error that nobody sees: as much again.
   */
  #sendLast(bytes: Buffer): void {
    const socket = this.#socket
    socket.write(bytes)
    if (socket.writableLength === 0) socket.destroy()
    else socket.end(() => socket.destroy())
  }

  #refuse(why: Refusal): void {
    this.#phase = 'over'
    this.#socket.destroy()
    this.#desk.watch.refused?.(why)
  }
}
