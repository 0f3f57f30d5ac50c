import type { User } from '../domain/user.ts'
import type { Answer } from './answer.ts'
import type { Appearance } from './appearance.ts'
import type { Html } from './html.ts'
import type { Language } from './language.ts'
import { layout } from './pages/layout.ts'
import type { Texts } from './texts/index.ts'

/** What every page knows, whatever it shows. */
export interface View {
  readonly t: Texts
  readonly language: Language
  readonly appearance: Appearance
  /** Goes into every form, so that no other site's form is taken for ours (SEC-CSRF-1). */
  readonly formKey: string
  /** Path and query of this page, to come back to; `/` for one that cannot be opened again. */
  readonly here: string
  /** Whoever is signed in. */
  readonly user: Pick<User, 'username' | 'isSuperuser'> | undefined
  readonly contentSecurityPolicy: string
  /** Whether any access policy takes app passwords, so that there is a page for them. */
  readonly hasAppPasswords: boolean
}

/** A page before it has its frame. */
export interface Page {
  readonly title: string
  readonly body: Html
  /** Forms and errors are narrow, lists are wide. */
  readonly width?: 'narrow' | 'wide'
  /** Which entry of the navigation this page belongs to. */
  readonly section?: 'account' | 'admin'
  /** Whether it shows something this once, so that nothing on it may load it again. */
  readonly shownOnce?: true
}

/** A page in its frame, as an answer. */
export async function pageAnswer(
  view: View,
  page: Page,
  { status = 200, ...extra }: Omit<Partial<Answer>, 'body' | 'contentType'> = {},
): Promise<Answer> {
  return {
    ...extra,
    status,
    body: String(await layout(view, page)),
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': view.contentSecurityPolicy, ...extra.headers },
  }
}

/** Sends the browser on by GET, so that a reload repeats nothing (RFC 9110 §15.4.4). */
export function redirect(to: string, cookies: readonly string[] = []): Answer {
  return { status: 303, cookies, headers: { location: to } }
}
