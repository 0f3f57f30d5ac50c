import { type Html, html } from '../html.ts'
import type { View } from '../page.ts'
import type { AdminUserProps } from './admin-user-page.ts'
import { formStart, instant, notice } from './parts.ts'

/** What an administrator can do about a user; nothing dangerous to themselves. */
export function dangerSection(view: View, props: AdminUserProps): Html {
  const { user, waits, isOwn } = props
  const { actions: words } = view.t.admin
  const path = `/admin/users/${user.id}`
  const isWaiting = waits.password > 0 || waits.code > 0
  const action = (name: string, sentence: string, button: Html) =>
    html`<li><h3>${name}</h3><p>${sentence}</p>${button}</li>
`
  const byPost = (verb: string, text: string, className: 'plain' | 'danger') =>
    html`${formStart(view, `${path}/${verb}`)}<button class="${className}">${text}</button></form>`
  const unlock = isWaiting
    ? action(words.unlock, words.unlockWhy, byPost('unlock', words.unlock, 'plain'))
    : ''
  const rest = html`${invite(view, props, action, byPost)}
${props.waitingReset === undefined ? action(words.reset, words.resetWhy, html`<a class="button plain" href="${path}/reset">${words.reset}…</a>`) : ''}
${
  user.disabledAt === undefined
    ? action(words.disable, words.disableWhy, byPost('disable', words.disable, 'danger'))
    : action(words.enable, words.enableWhy, byPost('enable', words.enable, 'plain'))
}`
  return html`<section class="card"><h2>${words.title}</h2>
${waitingReset(view, props)}
${isOwn ? html`<p>${words.own} <a href="/account">${view.t.common.account}</a>.</p>` : ''}
<ul class="items">${unlock}${isOwn ? '' : rest}</ul></section>`
}

function invite(
  { t }: View,
  { user }: AdminUserProps,
  action: (name: string, sentence: string, button: Html) => Html,
  byPost: (verb: string, text: string, className: 'plain') => Html,
): Html | string {
  const { actions: words } = t.admin
  const hasPassword = user.passwordChangedAt !== undefined
  const name = hasPassword ? words.resetPassword : words.invite
  if (user.isSuperuser) return action(name, words.inviteSuperuser, html``)
  if (user.disabledAt !== undefined) return action(name, words.inviteDisabled, html``)
  return action(
    name,
    hasPassword ? words.resetPasswordWhy : words.inviteWhy,
    byPost('invite', words.makeLink, 'plain'),
  )
}

/** What one administrator asked for and another one has to do. */
function waitingReset(view: View, { user, waitingReset: waiting }: AdminUserProps): Html | string {
  if (waiting === undefined) return ''
  const { t } = view
  const { actions: words } = t.admin
  const path = `/admin/users/${user.id}`
  return html`${notice('warn', html`${words.requestedBy(waiting.requestedBy)} (${instant(t, waiting.requestedAt)}). ${waiting.mayApprove ? words.approveWhy : words.waits} ${words.waitsUntil} ${instant(t, waiting.expiresAt)}.`)}
<div class="row">${waiting.mayApprove ? html`<a class="button plain" href="${path}/reset">${words.approve}…</a>` : ''}
${formStart(view, `${path}/reset/withdraw`)}<button class="plain">${words.withdraw}</button></form></div><p></p>`
}
