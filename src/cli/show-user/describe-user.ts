import { showInstant } from '../instant.ts'
import { print, printFacts, printTable } from '../terminal.ts'
import { printAppPasswords } from './print-app-passwords.ts'
import { printCodeWindows } from './print-code-windows.ts'
import type { Standing } from './standing.ts'

/** Prints what `user show` tells a person. */
export function describeUser({ user, waits }: Standing): void {
  const waiting = (seconds: number) => (seconds === 0 ? 'none' : `${seconds} seconds`)
  printFacts([
    ['Username', user.username],
    ['Name', user.displayName],
    ['Identifier', user.id],
    ['Superuser', user.isSuperuser ? 'yes' : 'no'],
    ['Groups', user.groups.join(', ')],
    ['Made', showInstant(user.createdAt)],
    ['Last sign-in', showInstant(user.lastSignInAt)],
    ['Disabled', user.disabledAt === undefined ? 'no' : `since ${showInstant(user.disabledAt)}`],
    ['Password', describePassword(user)],
    ['Second factor', describeSecondFactor(user)],
    ['Recovery codes', `${user.recoveryCodesLeft} left`],
    ['Wait for a password', waiting(waits.password)],
    ['Wait for a code', waiting(waits.code)],
  ])
  print('', user.devices.length === 0 ? 'No devices.' : 'Devices:')
  if (user.devices.length > 0) {
    printTable(
      ['NAME', 'KIND', 'ADDED', 'LAST USED', 'STATE', 'IDENTIFIER'],
      user.devices.map((device) => [
        device.name,
        `${device.kind} ${device.algorithm} ${device.digits} digits${device.kind === 'totp' ? ` ${device.period} s` : ''}`,
        showInstant(device.createdAt),
        showInstant(device.lastUsedAt),
        device.disabled ? 'disabled' : 'active',
        device.id,
      ]),
    )
  }
  print('', user.appPasswords.length === 0 ? 'No app passwords.' : 'App passwords:')
  if (user.appPasswords.length > 0) printAppPasswords(user.appPasswords)
  if (user.codeWindows.length > 0) {
    print('', 'Programs that came in by password and code:')
    printCodeWindows(user.codeWindows)
  }
  print('', user.sessions.length === 0 ? 'No sessions.' : 'Sessions:')
  if (user.sessions.length > 0) {
    printTable(
      ['IDENTIFIER', 'SINCE', 'LAST SEEN', 'PROOF', 'ADDRESS', 'PROGRAM'],
      user.sessions.map((session) => [
        session.id,
        showInstant(session.createdAt),
        showInstant(session.lastSeenAt),
        session.amr.join('+'),
        session.address,
        session.userAgent.slice(0, 80),
      ]),
    )
  }
}

function describePassword(user: Standing['user']): string {
  if (user.passwordChangedAt === undefined)
    return `none; to set one: watchword user set-password ${user.username}`
  const changed = `set ${showInstant(user.passwordChangedAt)}`
  return user.mustChangePassword ? `${changed}, to be changed at the next sign-in` : changed
}

function describeSecondFactor(user: Standing['user']): string {
  if (user.enrolmentPending) return 'a new device waits for its first code'
  if (user.devices.some(({ disabled }) => !disabled)) return 'active'
  return user.hasSecondFactor ? 'demanded, and no device is usable' : 'not yet registered'
}
