import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'

/** An authenticator in somebody's hand. */
export interface Authenticator {
  readonly kind: 'totp' | 'hotp'
  readonly key: Uint8Array
  /** Name that its owner gave it; empty for one that was there from the beginning. */
  readonly name: string
  /** Step or counter of the last code that was sent, whatever came of it. */
  used: number
  /** Whether its clock goes a step ahead of the server's: once a code came early it stays so, and the server has learnt it. */
  isAhead?: boolean
}

/** Steps of 30 seconds since 1970. */
export const stepNow = () => Math.floor(Date.now() / 30_000)

/** The code of a step or counter (RFC 4226 §5.3), made here so that the program does not judge itself. */
export function codeAt(key: Uint8Array, counter: number): string {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', key).update(message).digest()
  const number = mac.readUInt32BE(mac.readUInt8(19) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

/** Whether oathtool makes the same codes of a key. */
export function agreesWithOathtool(key: Uint8Array): boolean {
  const hex = Buffer.from(key).toString('hex')
  const oathtool = (...words: string[]) =>
    execFileSync('oathtool', [...words, hex], { encoding: 'utf8' }).trim()
  return (
    oathtool('--hotp', '--counter=12345') === codeAt(key, 12_345) &&
    oathtool('--totp', '--now=@1800000000') === codeAt(key, 60_000_000)
  )
}

/** A code with where it is from. */
export interface Code {
  readonly text: string
  readonly device: Authenticator
  readonly at: number
}

/**
 * The next code of any of the authenticators that will be taken now; nothing where all wait for their next step.
 *
 * One that a second place would take as well is passed over: what is accepted must tell which code it was.
 */
export function nextCode(devices: readonly Authenticator[]): Code | undefined {
  const now = stepNow()
  for (const device of devices) {
    if (device.kind === 'hotp') {
      for (let at = device.used + 1; at <= device.used + 4; at++) {
        const code = { text: codeAt(device.key, at), device, at }
        if (!isTakenElsewhere(code, devices)) return code
      }
      continue
    }
    // The step before this one and the one after it are taken too; this one leaves room for a clock that moves on.
    const at = Math.max(device.used + 1, device.isAhead === true ? now + 1 : now)
    const code = { text: codeAt(device.key, at), device, at }
    if (at <= now + 1 && !isTakenElsewhere(code, devices)) return code
  }
  return undefined
}

/** Remembers that a code leaves the hand of its owner. */
export function markSent({ device, at }: Code): void {
  device.used = Math.max(device.used, at)
  if (device.kind === 'totp' && at > stepNow()) device.isAhead = true
}

/** Whether a code would be right by another step, counter or device too. */
export function isTakenElsewhere({ text, device, at }: Code, devices: readonly Authenticator[]): boolean {
  const now = stepNow()
  return devices.some((other) => {
    const [from, to] =
      other.kind === 'totp' ? [now - 3, now + 3] : [Math.max(0, other.used - 12), other.used + 12]
    for (let place = from; place <= to; place++) {
      const isItself = other === device && place === at
      if (!isItself && codeAt(other.key, place) === text) return true
    }
    return false
  })
}
