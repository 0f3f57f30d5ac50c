import type { CodeWindow } from '../../domain/code-window.ts'
import type { AuthenticationMethod } from '../../domain/login.ts'
import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage, programText, type Told } from './account-frame.ts'
import { formStart, instant } from './parts.ts'

export interface ShownSession {
  /** A handle that opens nothing. */
  readonly id: string
  readonly isCurrent: boolean
  readonly amr: readonly AuthenticationMethod[]
  readonly address: string
  readonly userAgent: string
  readonly createdAt: number
  readonly lastSeenAt: number
}

export interface SessionsProps {
  readonly told: Told
  readonly sessions: readonly ShownSession[]
  /** What a password and code in one field opens to programs. */
  readonly codeWindows: readonly CodeWindow[]
}

/** Where one is signed in, which programs come in by a code, and how to end it. */
export function sessionsPage(view: View, { told, sessions, codeWindows }: SessionsProps): Page {
  const { sessions: t } = view.t.account
  const hasOthers = codeWindows.length > 0 || sessions.some(({ isCurrent }) => !isCurrent)
  const endOthers = html`<div class="card"><p>${t.endOthersHint}</p>
${formStart(view, '/account/sessions/end-others')}<button class="danger">${t.endOthers}</button></form></div>`
  const body = html`<p>${t.intro}</p>
<div class="card"><ul class="items">${sessions.map((session) => sessionItem(view, session))}</ul></div>
${codeWindows.length === 0 ? '' : programsSection(view, codeWindows)}
${hasOthers ? endOthers : html`<p class="quiet">${t.onlyThis}</p>`}`
  return accountPage(view, 'sessions', { title: t.title, told, body })
}

function sessionItem(view: View, { id, isCurrent, amr, address, userAgent, ...session }: ShownSession): Html {
  const { t } = view
  const { sessions } = t.account
  const program = programText(t, userAgent)
  const end = html`${formStart(view, '/account/sessions/end')}<input type="hidden" name="id" value="${id}"><button class="danger small" aria-label="${sessions.endOf(program, address)}">${sessions.end}</button></form>`
  return html`<li class="row spread">
<div><h2>${program}${isCurrent ? html` <span class="tag good">${sessions.current}</span>` : ''}</h2>
<dl class="facts">
<dt>${sessions.address}</dt><dd>${address}</dd>
<dt>${sessions.begun}</dt><dd>${instant(t, session.createdAt)}</dd>
<dt>${sessions.lastSeen}</dt><dd>${instant(t, session.lastSeenAt)}</dd>
<dt>${sessions.proof}</dt><dd>${amr.map((method) => t.audit.methods[method]).join(', ')}</dd>
</dl></div>
${isCurrent ? '' : end}</li>
`
}

function programsSection(view: View, codeWindows: readonly CodeWindow[]): Html {
  const { programs: t } = view.t.account.sessions
  return html`<section><h2>${t.title}</h2>
<p>${t.intro}</p>
<div class="card"><ul class="items">${codeWindows.map((window) => programItem(view, window))}</ul></div></section>`
}

function programItem(view: View, { id, policy, host, address, ...window }: CodeWindow): Html {
  const { t } = view
  const { sessions } = t.account
  const { programs } = sessions
  return html`<li class="row spread">
<div><h3>${host}</h3>
<dl class="facts">
<dt>${programs.opens}</dt><dd>${policy}</dd>
<dt>${sessions.address}</dt><dd>${address}</dd>
<dt>${sessions.begun}</dt><dd>${instant(t, window.createdAt)}</dd>
<dt>${programs.ends}</dt><dd>${instant(t, window.expiresAt)}</dd>
<dt>${t.account.lastUsed}</dt><dd>${instant(t, window.lastUsedAt)}</dd>
</dl></div>
${formStart(view, '/account/code-windows/end')}<input type="hidden" name="id" value="${id}"><button class="danger small" aria-label="${programs.endOf(host, address)}">${sessions.end}</button></form></li>
`
}
