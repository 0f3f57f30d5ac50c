import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { field, formStart, notice, passwordField } from './parts.ts'

/** What is wrong with which field, or with the whole. */
export interface WelcomeErrors {
  readonly problem?: string | undefined
  readonly username?: string | undefined
  readonly displayName?: string | undefined
  readonly password?: string | undefined
}

/** The code of a one-time link: filled in from behind its # by the script, or pasted without one. */
const codeOfLink = (label: string, hint: string, value: string | undefined) =>
  field({
    name: 'code',
    label,
    hint,
    value,
    autocomplete: 'off',
    maximum: 512,
    attributes: 'data-fragment="" spellcheck="false" autocapitalize="none"',
  })

/** A one-time link that works no more: nothing to fill in, only what to do instead. */
export function linkRefusedPage(view: View, sentence: string): Page {
  const { login } = view.t
  return {
    title: login.title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${login.linkRefused}</h1>
${notice('bad', sentence)}
<p><a class="button" href="/login">${login.submit}</a></p>
</div>`,
  }
}

/** Makes the first account. */
export function setupPage(
  view: View,
  props: {
    readonly code?: string
    readonly username?: string
    readonly displayName?: string
    readonly minimum: number
    readonly errors: WelcomeErrors
  },
): Page {
  const { login } = view.t
  const { errors } = props
  return {
    title: login.setup.title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${login.setup.title}</h1>
${notice('bad', errors.problem)}
<p>${login.setup.intro}</p>
${formStart(view, '/setup')}
${codeOfLink(login.setup.code, login.setup.codeHint, props.code)}
${field({
  name: 'username',
  label: login.username,
  value: props.username,
  error: errors.username,
  autocomplete: 'username',
  maximum: 64,
  attributes: 'autocapitalize="none" spellcheck="false"',
})}
${field({
  name: 'display_name',
  label: login.setup.displayName,
  value: props.displayName,
  error: errors.displayName,
  autocomplete: 'name',
  maximum: 128,
  required: false,
})}
${passwordField(view.t, {
  name: 'password',
  label: login.password,
  hint: login.passwordRules(props.minimum),
  error: errors.password,
  autocomplete: 'new-password',
})}
<button class="wide">${login.setup.submit}</button>
</form>
</div>`,
  }
}

/** Takes an invitation: its user chooses a password. */
export function invitationPage(
  view: View,
  {
    code,
    minimum,
    errors,
  }: { readonly code?: string; readonly minimum: number; readonly errors: WelcomeErrors },
): Page {
  const { login } = view.t
  return {
    title: login.invite.title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${login.invite.title}</h1>
${notice('bad', errors.problem)}
${notice('warn', view.user === undefined ? undefined : login.invite.signOutFirst)}
<p>${login.invite.intro}</p>
${formStart(view, '/invite')}
${codeOfLink(login.invite.code, login.invite.codeHint, code)}
${passwordField(view.t, {
  name: 'new_password',
  label: login.newPassword.label,
  hint: login.passwordRules(minimum),
  error: errors.password,
  autocomplete: 'new-password',
})}
<button class="wide">${login.invite.submit}</button>
</form>
</div>`,
  }
}
