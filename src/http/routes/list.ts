import type { PageRoute } from '../page-endpoint.ts'
import { showActivity } from './account-activity.ts'
import { makeOwnAppPassword, revokeOwnAppPassword, showAppPasswords } from './account-app-passwords.ts'
import { removeOwnDevice, renameOwnDevice, showDevices } from './account-devices.ts'
import { addDevice, confirmNewDevice, showNewDevice } from './account-enrolment.ts'
import { showAccount } from './account-overview.ts'
import { savePassword, showPassword } from './account-password.ts'
import { makeCodes, savedCodes, showRecoveryCodes } from './account-recovery-codes.ts'
import { endOtherOwnSessions, endOwnCodeWindow, endOwnSession, showSessions } from './account-sessions.ts'
import { revokeAnyAppPassword } from './admin-app-passwords.ts'
import { exportCsv, exportJsonLines, showAudit } from './admin-audit.ts'
import { endAnyCodeWindow } from './admin-code-windows.ts'
import {
  addToGroup,
  askForDeletion,
  deleteGroup,
  makeGroup,
  removeFromGroup,
  showGroups,
} from './admin-groups.ts'
import { showOverview } from './admin-overview.ts'
import { askForReset, reset, withdraw } from './admin-reset.ts'
import { disable, enable, endSessions, invite, unlock } from './admin-standing.ts'
import { showUser } from './admin-user.ts'
import { addUser, askForUser, showUsers } from './admin-users.ts'
import { showApiDocs } from './api-docs.ts'
import { confirm, showConfirm } from './confirm.ts'
import { enter } from './enter.ts'
import { logout, start, switchLanguage } from './general.ts'
import { accept, showInvitation } from './invite.ts'
import { showLogin, takeStep } from './login.ts'
import { finish, showSetup } from './setup.ts'

/** Every page there is; what is not listed here is not served. */
export const pageRoutes: readonly PageRoute[] = [
  start,
  showLogin,
  takeStep,
  showConfirm,
  confirm,
  enter,
  showSetup,
  finish,
  showInvitation,
  accept,
  showAccount,
  showDevices,
  renameOwnDevice,
  removeOwnDevice,
  addDevice,
  showNewDevice,
  confirmNewDevice,
  showRecoveryCodes,
  makeCodes,
  savedCodes,
  showAppPasswords,
  makeOwnAppPassword,
  revokeOwnAppPassword,
  showSessions,
  endOwnSession,
  endOtherOwnSessions,
  endOwnCodeWindow,
  showPassword,
  savePassword,
  showActivity,
  showOverview,
  showUsers,
  askForUser,
  addUser,
  showUser,
  disable,
  enable,
  unlock,
  invite,
  endSessions,
  revokeAnyAppPassword,
  endAnyCodeWindow,
  askForReset,
  reset,
  withdraw,
  addToGroup,
  removeFromGroup,
  showGroups,
  makeGroup,
  askForDeletion,
  deleteGroup,
  showAudit,
  exportJsonLines,
  exportCsv,
  logout,
  switchLanguage,
  showApiDocs,
]
