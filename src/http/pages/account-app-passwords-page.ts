import type { AppPassword } from '../../domain/app-password.ts'
import { type Html, html, raw } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage, type Told } from './account-frame.ts'
import { field, formStart, instant, notice } from './parts.ts'

/** What was typed into the form for a new one, and what is wrong with it. */
export interface AppPasswordDraft {
  readonly name: string
  readonly policies: readonly string[]
  readonly days: string
  readonly errors?: {
    readonly name?: string | undefined
    readonly policies?: string | undefined
    readonly days?: string | undefined
  }
}

export interface AppPasswordsProps {
  readonly told: Told
  readonly owned: readonly (AppPassword & { readonly hasEnded: boolean })[]
  /** Policies that one would open. */
  readonly policies: readonly string[]
  readonly longestDays: number
  readonly draft: AppPasswordDraft
}

/** One's own app passwords: what each opens, when it was used and from where; make, revoke. */
export function appPasswordsPage(view: View, props: AppPasswordsProps): Page {
  const { appPasswords: t } = view.t.account
  const { told, owned } = props
  const items = owned.map((each) => appPasswordItem(view, each))
  const body = html`<p>${t.intro}</p>
<div class="card">${owned.length === 0 ? html`<p>${t.none}</p>` : html`<ul class="items">${items}</ul>`}</div>
${props.policies.length === 0 ? html`<p class="quiet">${t.noPolicies}</p>` : newOne(view, props)}`
  return accountPage(view, 'appPasswords', { title: t.title, told, body })
}

function appPasswordItem(view: View, owned: AppPasswordsProps['owned'][number]): Html {
  const { t } = view
  const { appPasswords: words, lastUsed } = t.account
  const { id, name, policies, expiresAt, lastUsedAddress, hasEnded } = owned
  return html`<li class="row spread">
<div><h2>${name}${hasEnded ? html` <span class="tag bad">${words.ended}</span>` : ''}</h2>
<dl class="facts">
<dt>${words.opens}</dt><dd>${policies.join(', ')}</dd>
<dt>${words.made}</dt><dd>${instant(t, owned.createdAt)}</dd>
<dt>${words.ends}</dt><dd>${instant(t, expiresAt)}</dd>
<dt>${lastUsed}</dt><dd>${instant(t, owned.lastUsedAt)}${lastUsedAddress === undefined ? '' : ` · ${lastUsedAddress}`}</dd>
</dl></div>
${formStart(view, '/account/app-passwords/revoke')}<input type="hidden" name="id" value="${id}"><button class="danger small" aria-label="${words.revokeOf(name)}">${words.revoke}</button></form></li>
`
}

function newOne(view: View, { policies, longestDays, draft }: AppPasswordsProps): Html {
  const { appPasswords: t } = view.t.account
  const { errors = {} } = draft
  const boxes = policies.map((policy) => {
    const checked = raw(draft.policies.includes(policy) ? ' checked' : '')
    return html`<div class="field check"><input type="checkbox" id="policy-${policy}" name="policy-${policy}" value="yes"${checked}><label for="policy-${policy}">${policy}</label></div>
`
  })
  return html`<div class="card"><h2>${t.add}</h2>
<p>${t.addHint}</p>
${formStart(view, '/account/app-passwords/make')}
${field({ name: 'name', label: t.name, hint: t.nameHint, value: draft.name, error: errors.name, maximum: 64, autocomplete: 'off' })}
<fieldset><legend>${t.policies}</legend>${notice('bad', errors.policies)}
${boxes}</fieldset>
${field({ name: 'days', label: t.days, hint: t.daysHint(longestDays), value: draft.days, error: errors.days, type: 'number', required: false, autocomplete: 'off' })}
<button>${t.make}</button>
</form></div>`
}

/** A new app password, shown this once. */
export function newAppPasswordPage(
  view: View,
  made: { readonly name: string; readonly appPassword: string; readonly expiresAt: number | undefined },
): Page {
  const { appPasswords: t } = view.t.account
  const { copy, copied } = view.t.common
  return {
    title: t.madeTitle,
    width: 'narrow',
    section: 'account',
    shownOnce: true,
    body: html`<div class="card">
<h1>${t.madeTitle}</h1>
<p>${t.madeHint(view.user?.username ?? '')}</p>
<p class="secret"><code id="app-password">${made.appPassword}</code></p>
<p class="only-script"><button type="button" class="plain small" data-copy="#app-password" data-done="${copied}">${copy}</button></p>
<dl class="facts"><dt>${t.name}</dt><dd>${made.name}</dd><dt>${t.ends}</dt><dd>${instant(view.t, made.expiresAt)}</dd></dl>
<p><a class="button wide" href="/account/app-passwords">${t.saved}</a></p>
</div>`,
  }
}
