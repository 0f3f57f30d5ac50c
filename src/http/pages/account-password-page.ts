import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage, type Told } from './account-frame.ts'
import { formStart, instant, passwordField } from './parts.ts'

export interface PasswordProps {
  readonly told: Told
  readonly username: string
  /** Fewest characters of the new one. */
  readonly minimum: number
  readonly changedAt: number | undefined
  /** Whether there are app passwords that could be kept. */
  readonly hasAppPasswords: boolean
  readonly errors?: { readonly current?: string; readonly next?: string } | undefined
}

/** Current and new password; neither ever comes back with the page. */
export function passwordChangePage(view: View, props: PasswordProps): Page {
  const { password } = view.t.account
  const { told, username, minimum, changedAt, errors = {} } = props
  const keep = html`<div class="field"><div class="check"><input type="checkbox" id="keep_app_passwords" name="keep_app_passwords" value="yes" aria-describedby="keep-hint"><label for="keep_app_passwords">${password.keepAppPasswords}</label></div>
<p class="hint" id="keep-hint">${password.keepHint}</p></div>`
  const body = html`${changedAt === undefined ? '' : html`<p class="quiet">${password.changed}: ${instant(view.t, changedAt)}</p>`}
<div class="card slim"><h2>${password.change}</h2>
<p>${password.hint}</p>
${formStart(view, '/account/password')}
<input autocomplete="username" value="${username}" hidden>
${passwordField(view.t, { name: 'current_password', label: password.current, error: errors.current, autocomplete: 'current-password' })}
${passwordField(view.t, { name: 'new_password', label: password.next, hint: view.t.login.passwordRules(minimum), error: errors.next, autocomplete: 'new-password' })}
${props.hasAppPasswords ? keep : ''}
<button class="wide">${password.submit}</button>
</form></div>`
  return accountPage(view, 'password', { title: password.title, told, body })
}
