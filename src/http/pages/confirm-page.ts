import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { codeField, formStart, notice, passwordField } from './parts.ts'

/** Asks for password and code once more before something dangerous. */
export function confirmPage(
  view: View,
  {
    username,
    withCode,
    returnTo,
    problem,
  }: {
    readonly username: string
    readonly withCode: boolean
    readonly returnTo: string | undefined
    readonly problem: string | undefined
  },
): Page {
  const { login, common } = view.t
  return {
    title: login.confirm.title,
    width: 'narrow',
    section: 'account',
    body: html`<div class="card">
<h1>${login.confirm.title}</h1>
${notice('bad', problem)}
<p>${login.confirm.intro}</p>
<p class="quiet">${common.signedInAs} <strong>${username}</strong></p>
${formStart(view, '/confirm')}
${returnTo === undefined ? '' : html`<input type="hidden" name="return_to" value="${returnTo}">`}
<input autocomplete="username" value="${username}" hidden>
${passwordField(view.t, { name: 'password', label: login.password, autocomplete: 'current-password', autofocus: true })}
${withCode ? codeField({ label: login.code.label, autofocus: false }) : ''}
<button class="wide">${login.confirm.submit}</button>
</form>
<p></p>
<p><a href="/account">${common.cancel}</a></p>
</div>`,
  }
}
