import type { Route } from '../endpoint.ts'
import { listAllEvents, showOverview } from './admin-audit.ts'
import { addToGroup, createGroup, deleteGroup, listAllGroups, removeFromGroup } from './admin-groups.ts'
import {
  disableAnyUser,
  enableAnyUser,
  endAllSessions,
  endAnySession,
  resetAnySecondFactor,
  unlockAnyUser,
  withdrawAnyReset,
} from './admin-standing.ts'
import { inviteAgain, inviteNew, listAllUsers, showAnyUser } from './admin-users.ts'
import {
  listAppPasswords,
  makeOwnAppPassword,
  revokeAnyAppPassword,
  revokeOwnAppPassword,
} from './app-passwords.ts'
import { assertionKeys } from './assertion-keys.ts'
import { endAnyCodeWindow, endOwnCodeWindow, listCodeWindows } from './code-windows.ts'
import { changeOwnPassword, countRecoveryCodes, makeOwnRecoveryCodes } from './credentials.ts'
import { listDevices, removeOwnDevice, renameOwnDevice } from './devices.ts'
import { registerSecret } from './enrolment.ts'
import { setUp, useInvitation } from './invitations.ts'
import { authenticateAtOnce, login, logout, verify, whoAmI } from './login.ts'
import { liveness, metrics, readiness } from './monitoring.ts'
import { document } from './openapi.ts'
import { endOtherOwnSessions, endOwnSession, listSessions } from './sessions.ts'

/** Every route there is; what is not listed here is not served. */
export const routes: readonly Route[] = [
  login,
  registerSecret,
  authenticateAtOnce,
  verify,
  whoAmI,
  countRecoveryCodes,
  makeOwnRecoveryCodes,
  listDevices,
  renameOwnDevice,
  removeOwnDevice,
  listAppPasswords,
  makeOwnAppPassword,
  revokeOwnAppPassword,
  listCodeWindows,
  endOwnCodeWindow,
  listSessions,
  endOtherOwnSessions,
  endOwnSession,
  changeOwnPassword,
  useInvitation,
  setUp,
  listAllUsers,
  inviteNew,
  showAnyUser,
  inviteAgain,
  disableAnyUser,
  enableAnyUser,
  unlockAnyUser,
  endAllSessions,
  endAnySession,
  revokeAnyAppPassword,
  endAnyCodeWindow,
  resetAnySecondFactor,
  withdrawAnyReset,
  listAllGroups,
  createGroup,
  deleteGroup,
  addToGroup,
  removeFromGroup,
  listAllEvents,
  showOverview,
  logout,
  assertionKeys,
  liveness,
  readiness,
  metrics,
  {
    method: 'GET',
    path: '/openapi.json',
    access: 'anybody',
    summary: 'This document',
    description: 'Made from the same declarations that validate requests.',
    answers: { 200: { description: 'OpenAPI 3.1.' } },
    handle: async () => ({ status: 200, body: openApiText() }),
  },
] as readonly Route[] // A handler takes the fields of its own body's schema, which the list cannot say of each.

let text: string | undefined

/** The document as text, made when somebody first asks. */
function openApiText(): string {
  text ??= JSON.stringify(document(routes))
  return text
}
