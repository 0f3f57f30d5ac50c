import { common } from './common.ts'
import { login } from './login.ts'

/** English. */
export const en = { common, login }
