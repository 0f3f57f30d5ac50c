import type { PageRoute } from '../page-endpoint.ts'
import { confirm, showConfirm } from './confirm.ts'
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
  showSetup,
  finish,
  showInvitation,
  accept,
  logout,
  switchLanguage,
]
