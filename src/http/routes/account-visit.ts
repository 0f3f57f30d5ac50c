import { z } from 'zod'
import { isId } from '../../domain/id.ts'
import type { Answer } from '../answer.ts'
import { redirect, type View } from '../page.ts'
import { type AccountNotice, accountNotices } from '../pages/account-frame.ts'
import { addressOf } from './fields.ts'

const names = Object.keys(accountNotices) as AccountNotice[] // The keys of that very table.

/** What a page is asked to say above what it shows; anything else is not said. */
export const noticeQuery = z.object({ notice: z.enum(names).optional().catch(undefined) })

/** The handle of something that is listed on the page. */
export const idField = z.string().refine(isId)

/** Back to the page, which says what was done. */
export function done(path: string, notice: AccountNotice, cookies: readonly string[] = []): Answer {
  return redirect(`${path}?${new URLSearchParams({ notice })}`, cookies)
}

/** To the page that asks for a fresh proof and leads back (SEC-AUTH-10). */
export const proveFirst = (path: string): Answer => redirect(addressOf('/confirm', path))

/** The view of a page that answers a form, as if it had been opened: a switch of language leads to it. */
export const viewAt = (view: View, here: string): View => ({ ...view, here })

/** The header that goes with a wait (RFC 9110 §10.2.3). */
export const retryAfter = (wait: number): Readonly<Record<string, string>> => ({
  'retry-after': String(wait),
})
