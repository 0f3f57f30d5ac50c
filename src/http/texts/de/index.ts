import type { Texts } from '../index.ts'
import { common } from './common.ts'
import { login } from './login.ts'

/** German. */
export const de: Texts = { common, login }
