import type { SourceDevice } from '../domain/import-record.ts'
import type { OtpauthUri } from '../domain/otp/otpauth-uri.ts'

/** The device of a key URI, or that there was none to read. */
export function uriDevice(uri: OtpauthUri | undefined): SourceDevice {
  if (uri === undefined)
    return { kind: 'unreadable', sourceId: 'uri', because: 'its otpauth URI cannot be read' }
  const { kind, key, algorithm, digits } = uri
  return {
    ...{ kind, key, algorithm, digits },
    sourceId: 'uri',
    name: 'Authenticator',
    period: uri.kind === 'totp' ? uri.period : 30,
    counter: uri.kind === 'hotp' ? uri.counter : 0,
    ...{ t0: 0, drift: 0, lastUsedStep: -1, lastUsedAt: undefined },
  }
}
