import type { Texts } from '../index.ts'
import { account } from './account.ts'
import { admin } from './admin.ts'
import { audit } from './audit.ts'
import { common } from './common.ts'
import { login } from './login.ts'

/** German. */
export const de: Texts = { account, admin, audit, common, login }
