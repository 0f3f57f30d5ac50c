import { account } from './account.ts'
import { admin } from './admin.ts'
import { audit } from './audit.ts'
import { common } from './common.ts'
import { login } from './login.ts'

/** English. */
export const en = { account, admin, audit, common, login }
