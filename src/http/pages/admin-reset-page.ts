import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { adminPage } from './admin-parts.ts'
import { formStart, instant } from './parts.ts'

/** Says what a reset of the second factor does before it is done. */
export function confirmResetPage(
  view: View,
  {
    userId,
    username,
    takesTwo,
  }: {
    readonly userId: string
    readonly username: string
    /** Whether another administrator has to approve it afterwards. */
    readonly takesTwo: boolean
  },
): Page {
  const { t } = view
  const { reset: words } = t.admin
  return adminPage(view, {
    part: 'users',
    title: words.title,
    body: html`<h1>${words.heading(username)}</h1>
<div class="card">
<ul>${words.effects.map((sentence) => html`<li>${sentence}</li>`)}</ul>
<p><strong>${words.identity}</strong></p>
${takesTwo ? html`<p>${words.takesTwo}</p>` : ''}
${formStart(view, `/admin/users/${userId}/reset`)}
<p class="row"><button class="danger">${takesTwo ? words.request : words.submit}</button> <a href="/admin/users/${userId}">${t.common.cancel}</a></p>
</form></div>`,
  })
}

/** The one code that leads the user to a new authenticator, shown this once. */
export function resetDonePage(
  view: View,
  {
    userId,
    username,
    code,
    endsAt,
  }: { readonly userId: string; readonly username: string; readonly code: string; readonly endsAt: number },
): Page {
  const { t } = view
  const { reset: words } = t.admin
  return adminPage(view, {
    part: 'users',
    title: words.done,
    shownOnce: true,
    body: html`<h1>${words.done}</h1>
<div class="card">
<p>${words.doneIntro(username)}</p>
<p class="label" id="code-label">${words.code}</p>
<p class="secret" id="code" aria-labelledby="code-label" role="group">${code}</p>
<p><button type="button" class="plain small only-script" data-copy="#code" data-done="${t.common.copied}">${t.common.copy}</button></p>
<p>${words.once} <strong>${instant(t, endsAt)}</strong>.</p>
<p><a class="button plain" href="/admin/users/${userId}">${t.admin.toUser(username)}</a></p>
</div>`,
  })
}
