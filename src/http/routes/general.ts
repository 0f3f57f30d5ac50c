import { z } from 'zod'
import { signOut } from '../../actions/sign-out.ts'
import { parseReturnTo } from '../../domain/return-to.ts'
import { languageCookie, languages } from '../language.ts'
import { redirect } from '../page.ts'
import { pageRoute } from '../page-endpoint.ts'
import * as fields from './fields.ts'

/** `GET /`: to where one belongs. */
export const start = pageRoute({
  method: 'GET',
  path: '/',
  access: 'anybody',
  handle: async ({ session }) => redirect(session === undefined ? '/login' : '/account'),
})

/** `POST /logout` */
export const logout = pageRoute({
  method: 'POST',
  path: '/logout',
  access: 'anybody',
  async handle({ caller, loginToken }, { services, cookies }) {
    await signOut(services, { sessionToken: caller.sessionToken, loginToken }, caller)
    const answer = redirect('/login?signed_out=', [cookies.clear('session'), cookies.clear('login')])
    return { ...answer, headers: { ...answer.headers, 'clear-site-data': '"cache", "storage"' } }
  },
})

/** `POST /language`: remembers the language and shows the same page in it. */
export const switchLanguage = pageRoute({
  method: 'POST',
  path: '/language',
  access: 'anybody',
  fields: z.strictObject({ language: z.enum(languages), return_to: fields.returnTo }),
  async handle({ fields: { language, return_to: asked } }, { returnOrigins: { own } }) {
    const here = asked && parseReturnTo(asked, { own, others: new Set() })
    return redirect(here ?? '/', [languageCookie(language, own.startsWith('https:'))])
  },
})
