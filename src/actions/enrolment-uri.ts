import { otpauthUri } from '../domain/otp/otpauth-uri.ts'
import type { User } from '../domain/user.ts'
import type { Policy } from '../services.ts'
import type { NewOtpDevice } from '../store/otp-devices.ts'

/** What an authenticator reads to take over the key of an enrolment; it holds the key itself (SEC-OTP-9). */
export function enrolmentUri(
  { issuer }: Pick<Policy, 'issuer'>,
  { username }: Pick<User, 'username'>,
  device: Pick<NewOtpDevice, 'algorithm' | 'digits' | 'period'> & { readonly key: Uint8Array },
): string {
  const { key, algorithm, digits, period } = device
  return otpauthUri({ kind: 'totp', issuer, account: username, key, algorithm, digits, period })
}
