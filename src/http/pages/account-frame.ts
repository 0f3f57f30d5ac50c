import { type Html, html, raw } from '../html.ts'
import type { Page, View } from '../page.ts'
import type { Texts } from '../texts/index.ts'
import { programOf } from '../user-agent.ts'
import { notice } from './parts.ts'

/** What a page says about what led to it; only these can be asked for in an address. */
export const accountNotices = {
  'device-added': 'good',
  'device-renamed': 'good',
  'device-removed': 'good',
  'setup-over': 'warn',
  'codes-first': 'warn',
  'session-ended': 'good',
  'others-ended': 'good',
  'password-changed': 'good',
  'app-password-revoked': 'good',
  'code-window-ended': 'good',
  superseded: 'warn',
} as const satisfies Record<string, 'good' | 'warn'>

export type AccountNotice = keyof typeof accountNotices

/** What every page of the account may say above what it shows. */
export interface Told {
  readonly notice?: AccountNotice | undefined
  readonly problem?: string | undefined
}

const paths = {
  overview: '/account',
  devices: '/account/devices',
  codes: '/account/recovery-codes',
  appPasswords: '/account/app-passwords',
  sessions: '/account/sessions',
  password: '/account/password',
  activity: '/account/activity',
} as const

type AccountPage = keyof typeof paths

/** A page of one's own account: the way to the others, its title, what is to be said, and what it shows. */
export function accountPage(
  view: View,
  here: AccountPage,
  { title, told, body }: { readonly title: string; readonly told: Told; readonly body: Html },
): Page {
  const { account } = view.t
  const names: Readonly<Record<AccountPage, string>> = {
    overview: account.overview,
    devices: account.devices.title,
    codes: account.codes.title,
    appPasswords: account.appPasswords.title,
    sessions: account.sessions.title,
    password: account.password.title,
    activity: account.activity.title,
  }
  const shown = (Object.keys(paths) as AccountPage[]).filter(
    (page) => page !== 'appPasswords' || view.hasAppPasswords,
  )
  const entries = shown.map(
    (
      page,
    ) => html`<a href="${paths[page]}"${page === here ? raw(' aria-current="page"') : ''}>${names[page]}</a>
`,
  )
  return {
    title,
    width: 'wide',
    section: 'account',
    body: html`<nav class="tabs" aria-label="${account.navigation}">${entries}</nav>
<h1>${title}</h1>
${notice('bad', told.problem)}${told.notice === undefined ? '' : notice(accountNotices[told.notice], account.notices[told.notice])}
${body}`,
  }
}

/** The program behind a session or an event, in words. */
export function programText({ account: { sessions } }: Texts, userAgent: string): string {
  const program = programOf(userAgent)
  if (program.kind === 'other') return program.text === '' ? sessions.unknown : program.text
  return program.system === undefined ? program.browser : sessions.on(program.browser, program.system)
}
