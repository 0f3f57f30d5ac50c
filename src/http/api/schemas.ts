import { z } from 'zod'
import { DEVICE_NAME_MAXIMUM, label } from '../../domain/label.ts'
import { isPasswordTooLong } from '../../domain/password/policy.ts'

/** Fields of requests: every one bounded, no field taken that is not listed (SEC-INP-1, SEC-DOC-4). */

export const username = z
  .string()
  .min(1, 'is needed.')
  .max(256, 'is too long.')
  .describe('As it was given when the account was made; case and width do not matter.')

/** Longer ones are refused for everybody alike, and never cut (SEC-PW-2). */
export const password = z
  .string()
  .min(1, 'is needed.')
  .max(1024, 'is too long.')
  .refine((text) => !isPasswordTooLong(text), 'is too long.')
  // Half a surrogate pair would be hashed as U+FFFD, and be the same password as others (SEC-PW-4).
  .refine((text) => text.isWellFormed(), 'is not valid Unicode.')
  .describe('At most 256 characters and 1,024 bytes; compared in NFC, otherwise as it is.')

export const otp = z
  .string()
  .max(64, 'is too long.')
  .describe('A code of 6 or 8 digits, or a recovery code; spaces and hyphens do not matter.')

export const deviceName = z
  .string()
  .max(256, 'must have 1 to 64 characters.')
  .transform((typed, context) => {
    const name = label(typed, DEVICE_NAME_MAXIMUM)
    if (name !== undefined) return name
    context.addIssue({ code: 'custom', message: 'must have 1 to 64 characters, none of them invisible.' })
    return z.NEVER
  })

/** Bodies of answers. */

export const errorBody = z.strictObject({
  error: z.string().describe('A sentence for people.'),
  code: z.string().describe('A stable code for programs.'),
})

export const throttledBody = errorBody.extend({ retry_after: z.int().describe('Seconds to wait.') })

export const user = z.strictObject({
  id: z.string(),
  username: z.string(),
  display_name: z.string(),
  is_superuser: z.boolean(),
  groups: z.array(z.string()),
})

const amr = z.array(z.enum(['pwd', 'otp', 'recovery'])).describe('How the user proved it (RFC 8176).')
export const seconds = z.int().describe('Seconds since the Unix epoch.')

const sessionFields = {
  user,
  amr,
  verified: z.boolean().describe('Whether two factors were proven.'),
  auth_time: seconds.describe('When the proof was given, in seconds since the Unix epoch.'),
  expires_at: seconds.describe('When the session ends if nothing happens, in seconds since the Unix epoch.'),
}

export const sessionBody = z.strictObject(sessionFields)

/** The session goes on under a new token. */
export const renewedBody = sessionBody.extend({ message: z.string() })

/** Signed in, or one more step to go. */
export const signInBody = z.union([
  z.strictObject({
    message: z.string(),
    next: z.literal('done').optional(),
    ...sessionFields,
    recovery_codes_left: z.int().optional().describe('After a recovery code was used: how many are left.'),
  }),
  z.strictObject({ message: z.string(), next: z.enum(['totp', 'enrol-totp', 'new-password']) }),
])

export const messageBody = z.strictObject({ message: z.string() })

export const enrolmentBody = z.strictObject({
  shared_secret: z.string().describe('The key in base32, shown this once.'),
  otpauth_uri: z.string().describe('The same for authenticator apps.'),
  qr_svg: z.string().describe('The URI as a QR code, dark on light.'),
  expires_in: z.int().describe('Seconds within which the first code must come.'),
})

export const device = z.strictObject({
  id: z.string(),
  type: z.enum(['totp', 'hotp']),
  name: z.string(),
  created_at: seconds,
  last_used_at: seconds.nullable(),
  disabled: z.boolean().describe('After too many wrong codes; bind it anew.'),
})

export const appPassword = z.strictObject({
  id: z.string().describe('A handle; it opens nothing.'),
  name: z.string(),
  policies: z.array(z.string()).describe('The access policies that it opens.'),
  created_at: seconds,
  expires_at: seconds.nullable().describe('Null for one that does not end.'),
  last_used_at: seconds.nullable(),
  last_used_address: z.string().nullable(),
})

export const codeWindow = z.strictObject({
  id: z.string().describe('A handle; it opens nothing.'),
  policy: z.string().describe('The access policy that it opens.'),
  host: z.string().describe('The origin where it began.'),
  address: z.string().describe('From where alone it opens anything.'),
  created_at: seconds.describe('When the code was spent.'),
  expires_at: seconds,
  last_used_at: seconds,
})

export const ownSession = z.strictObject({
  id: z.string().describe('A handle; it opens nothing.'),
  current: z.boolean(),
  amr,
  auth_time: seconds,
  created_at: seconds,
  last_seen_at: seconds,
  expires_at: seconds,
  address: z.string(),
  user_agent: z.string(),
})

export const recoveryCodesBody = z.strictObject({
  recovery_codes: z.array(z.string()).describe('Shown this once; the former set works no more.'),
})
