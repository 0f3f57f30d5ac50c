import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { clockTime, codeField, field, formStart, notice, passwordField } from './parts.ts'

/** What the page says about what came before it. */
export interface Said {
  /** About the page as a whole. */
  readonly problem?: string | undefined
  /** About the field that the page asks for. */
  readonly error?: string | undefined
  readonly good?: string | undefined
}

interface LoginProps extends Said {
  /** A checked address to go on to. */
  readonly returnTo: string | undefined
}

const hidden = (name: string, value: string | undefined): Html | string =>
  value === undefined ? '' : html`<input type="hidden" name="${name}" value="${value}">`

/** Username and password; in one submission also the code. */
export function passwordPage(
  view: View,
  {
    username,
    returnTo,
    problem,
    good,
    single,
  }: LoginProps & { readonly username?: string; readonly single: boolean },
): Page {
  const { login } = view.t
  const hasName = username !== undefined && username !== ''
  return {
    title: login.title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${login.title}</h1>
${notice('bad', problem)}${notice('good', good)}
${formStart(view, '/login')}
${hidden('step', single ? 'single' : 'password')}${hidden('return_to', returnTo)}
${field({
  name: 'username',
  label: login.username,
  value: username,
  autocomplete: 'username',
  autofocus: !hasName,
  maximum: 256,
  attributes: 'autocapitalize="none" spellcheck="false"',
})}
${passwordField(view.t, { name: 'password', label: login.password, autocomplete: 'current-password', autofocus: hasName })}
${single ? codeField({ label: login.code.single, hint: login.code.singleHint, required: false, autofocus: false }) : ''}
<button class="wide">${single ? login.submit : login.next}</button>
</form>
</div>`,
  }
}

export interface CodeProps extends LoginProps {
  readonly username: string
  /** A code of the app, or a recovery code. */
  readonly from: 'app' | 'recovery'
  /** Wrong codes so far, as the page itself counted them. */
  readonly tries: number
  /** The server's time, for comparing clocks. */
  readonly now: number
}

/** The second step: a code of the authenticator or a recovery code. */
export function codePage(view: View, props: CodeProps): Page {
  const { username, returnTo, from, tries, now, error, problem } = props
  const { login } = view.t
  const isApp = from === 'app'
  const title = isApp ? login.code.title : login.code.recoveryTitle
  const input = isApp
    ? codeField({ label: login.code.label, hint: login.code.hint, error })
    : field({
        name: 'otp',
        label: login.code.recoveryLabel,
        hint: login.code.recoveryHint,
        error,
        autocomplete: 'off',
        autofocus: true,
        maximum: 64,
        attributes: 'spellcheck="false" autocapitalize="characters"',
      })
  return {
    title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${title}</h1>
${notice('bad', problem)}
<p class="quiet">${login.signingInAs} <strong>${username}</strong></p>
${isApp && tries >= 2 ? clockHelp(view, now) : ''}
${formStart(view, '/login')}
${hidden('step', 'code')}${hidden('from', from)}${hidden('tries', String(tries))}${hidden('return_to', returnTo)}
${input}
<button class="wide">${login.submit}</button>
</form>
<p></p>
<p><a href="${address(isApp ? 'recovery' : 'app', returnTo)}">${isApp ? login.code.useRecovery : login.code.useApp}</a></p>
${startOver(view, returnTo)}
</div>`,
  }
}

/** Most refusals of a right code are a clock that drifted. */
function clockHelp(view: View, now: number): Html {
  const { code } = view.t.login
  return html`<div class="notice warn" role="status"><p>${code.clock} <strong>${clockTime(view.t, now)}</strong>. ${code.clockHint}</p></div>`
}

function address(from: 'app' | 'recovery', returnTo: string | undefined): string {
  const query = new URLSearchParams()
  if (from === 'recovery') query.set('with', 'recovery')
  if (returnTo !== undefined) query.set('return_to', returnTo)
  return query.size === 0 ? '/login' : `/login?${query}`
}

/** The way back to the first step, for whoever mistyped a name. */
export function startOver(view: View, returnTo: string | undefined): Html {
  return html`${formStart(view, '/login')}${hidden('step', 'start-over')}${hidden('return_to', returnTo)}<button class="link">${view.t.login.startOver}</button></form>`
}

/** The step of a login whose password has to be replaced. */
export function newPasswordPage(
  view: View,
  {
    username,
    returnTo,
    error,
    problem,
    minimum,
  }: LoginProps & { readonly username: string; readonly minimum: number },
): Page {
  const { login } = view.t
  return {
    title: login.newPassword.title,
    width: 'narrow',
    body: html`<div class="card">
<h1>${login.newPassword.title}</h1>
${notice('bad', problem)}
<p>${login.newPassword.intro}</p>
${formStart(view, '/login')}
${hidden('step', 'new-password')}${hidden('return_to', returnTo)}
<input autocomplete="username" value="${username}" hidden>
${passwordField(view.t, {
  name: 'new_password',
  label: login.newPassword.label,
  hint: login.passwordRules(minimum),
  error,
  autocomplete: 'new-password',
  autofocus: true,
})}
<button class="wide">${login.newPassword.submit}</button>
</form>
<p></p>
${startOver(view, returnTo)}
</div>`,
  }
}
