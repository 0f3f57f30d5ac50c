import type { ListedUser } from '../../store/views/list-users.ts'
import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import type { Texts } from '../texts/index.ts'
import { adminPage, choiceField, paging, scrolling, tag, withQuery } from './admin-parts.ts'
import { field, formStart, instant, notice } from './parts.ts'

/** What the list can be narrowed to. */
export type UserFilterName = keyof Texts['admin']['users']['filters']

/** What was asked for. */
export interface UserSearch {
  readonly search: string | undefined
  readonly filter: UserFilterName
  readonly group: string | undefined
  readonly after: string | undefined
}

/** A part of the list of users. */
export function adminUsersPage(
  view: View,
  { asked, users, more }: { asked: UserSearch; users: readonly ListedUser[]; more: boolean },
): Page {
  const { t } = view
  const { users: words } = t.admin
  const address = (after: string | undefined) =>
    withQuery('/admin/users', { search: asked.search, filter: asked.filter, group: asked.group, after })
  const next = more ? users.at(-1)?.username : undefined
  return adminPage(view, {
    part: 'users',
    title: words.title,
    body: html`<div class="row spread head"><h1>${words.title}</h1><a class="button" href="/admin/users/new">${words.add}</a></div>
${searchForm(t, asked)}
${asked.group === undefined ? '' : html`<p>${words.inGroup} <strong>${asked.group}</strong> · <a href="/admin/users">${words.everybody}</a></p>`}
${users.length === 0 ? html`<p>${words.none}</p>` : table(t, users)}
${paging(view, {
  first: asked.after === undefined ? undefined : address(undefined),
  next: next === undefined ? undefined : address(next),
})}`,
  })
}

function searchForm(t: Texts, { search, filter, group }: UserSearch): Html {
  const { users: words } = t.admin
  const names = Object.entries(words.filters)
  return html`<form class="card row end" role="search">
${field({ name: 'search', label: words.search, value: search, type: 'search', required: false, maximum: 128 })}
${choiceField({
  name: 'filter',
  label: words.filter,
  choices: names.map(([value, text]) => ({ value, text })),
  chosen: filter,
})}
${group === undefined ? '' : html`<input type="hidden" name="group" value="${group}">`}
<button>${t.admin.show}</button></form>`
}

function table(t: Texts, users: readonly ListedUser[]): Html {
  const { users: words } = t.admin
  const rows = users.map(
    (
      user,
    ) => html`<tr><td><a href="/admin/users/${user.id}">${user.username}</a></td><td>${user.displayName}</td><td>${userTags(t, user)}</td><td>${instant(t, user.lastSignInAt)}</td></tr>
`,
  )
  return scrolling(
    words.title,
    html`<table><thead><tr><th>${words.username}</th><th>${words.name}</th><th>${words.state}</th><th>${words.lastSignIn}</th></tr></thead><tbody>
${rows}</tbody></table>`,
  )
}

/** What stands out about a user. */
function userTags(
  { admin: { users: words } }: Texts,
  user: Pick<ListedUser, 'isSuperuser' | 'disabled' | 'hasUsableDevice' | 'hasPassword'>,
): Html {
  return html`${user.isSuperuser ? tag(words.tags.superuser) : ''}${user.disabled ? tag(words.tags.disabled, 'bad') : ''}${user.hasUsableDevice ? tag(words.tags.secondFactor, 'good') : tag(words.tags.noSecondFactor, 'warn')}${user.hasPassword ? '' : tag(words.tags.noPassword, 'warn')}`
}

export interface NewUserProps {
  readonly username: string
  readonly name: string
  readonly groups: readonly { readonly name: string; readonly chosen: boolean }[]
  readonly usernameError?: string | undefined
  readonly nameError?: string | undefined
  readonly problem?: string | undefined
}

/** Asks who is to be added; there is no password here, for nobody else is to know it (SEC-PW-14). */
export function newUserPage(view: View, props: NewUserProps): Page {
  const { t } = view
  const { newUser: words } = t.admin
  const boxes = props.groups.map(
    ({ name, chosen }) =>
      html`<div class="check"><input type="checkbox" id="group:${name}" name="group:${name}" value="yes"${chosen ? html` checked` : ''}><label for="group:${name}">${name}</label></div>`,
  )
  return adminPage(view, {
    part: 'users',
    title: words.title,
    body: html`<h1>${words.title}</h1>
<div class="card">${notice('bad', props.problem)}
<p>${words.intro}</p>
${formStart(view, '/admin/users/new')}
${field({
  name: 'username',
  label: t.admin.users.username,
  value: props.username,
  hint: words.usernameHint,
  error: props.usernameError,
  autocomplete: 'off',
  autofocus: true,
  maximum: 128,
  attributes: 'autocapitalize="none" spellcheck="false"',
})}
${field({
  name: 'name',
  label: words.name,
  value: props.name,
  error: props.nameError,
  autocomplete: 'off',
  required: false,
  maximum: 256,
})}
${boxes.length === 0 ? '' : html`<fieldset><legend>${t.admin.nav.groups}</legend>${boxes}</fieldset>`}
<p class="row"><button>${words.submit}</button> <a href="/admin/users">${t.common.cancel}</a></p>
</form></div>`,
  })
}

export interface InvitationProps {
  readonly userId: string
  readonly username: string
  readonly link: string
  readonly endsAt: number
  /** For somebody who was here before it is a way to a new password. */
  readonly isNew: boolean
}

/** The one-time link to hand over, shown this once. */
export function invitationPage(view: View, { userId, username, link, endsAt, isNew }: InvitationProps): Page {
  const { t } = view
  const { invitation: words } = t.admin
  const title = isNew ? words.titleNew : words.title
  return adminPage(view, {
    part: 'users',
    title,
    shownOnce: true,
    body: html`<h1>${title}</h1>
<div class="card">
<p>${isNew ? words.introNew(username) : words.intro(username)}</p>
<p class="label" id="link-label">${words.label}</p>
<p class="secret" id="link" aria-labelledby="link-label" role="group">${link}</p>
<p><button type="button" class="plain small only-script" data-copy="#link" data-done="${t.common.copied}">${t.common.copy}</button></p>
<p>${words.once} ${words.until} <strong>${instant(t, endsAt)}</strong>.</p>
<p class="quiet">${words.safe}</p>
<p><a class="button plain" href="/admin/users/${userId}">${t.admin.toUser(username)}</a></p>
</div>`,
  })
}
