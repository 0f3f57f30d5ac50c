import { isoInstant } from '../instant.ts'
import { appPasswordAsJson } from './print-app-passwords.ts'
import { codeWindowAsJson } from './print-code-windows.ts'
import type { Standing } from './standing.ts'

/** What `user show --json` prints. */
export function userAsJson({ user, waits }: Standing) {
  return {
    id: user.id,
    username: user.username,
    display_name: user.displayName,
    superuser: user.isSuperuser,
    created_at: isoInstant(user.createdAt),
    disabled_at: orNull(user.disabledAt),
    last_sign_in_at: orNull(user.lastSignInAt),
    password_changed_at: orNull(user.passwordChangedAt),
    must_change_password: user.mustChangePassword,
    has_second_factor: user.hasSecondFactor,
    groups: user.groups,
    devices: user.devices.map((device) => ({
      id: device.id,
      name: device.name,
      kind: device.kind,
      algorithm: device.algorithm,
      digits: device.digits,
      ...(device.kind === 'totp' ? { period: device.period } : { counter: device.counter }),
      created_at: isoInstant(device.createdAt),
      last_used_at: orNull(device.lastUsedAt),
      disabled: device.disabled,
    })),
    enrolment_pending: user.enrolmentPending,
    sessions: user.sessions.map((session) => ({
      id: session.id,
      amr: session.amr,
      created_at: isoInstant(session.createdAt),
      last_seen_at: isoInstant(session.lastSeenAt),
      ends_at: isoInstant(session.endsAt),
      address: session.address,
      user_agent: session.userAgent,
    })),
    app_passwords: user.appPasswords.map(appPasswordAsJson),
    code_windows: user.codeWindows.map(codeWindowAsJson),
    recovery_codes_left: user.recoveryCodesLeft,
    /** Seconds. */
    waits,
  }
}

const orNull = (at: number | undefined) => (at === undefined ? null : isoInstant(at))
