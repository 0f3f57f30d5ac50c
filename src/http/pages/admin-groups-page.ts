import type { ListedGroup } from '../../store/views/list-groups.ts'
import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { type AdminNotice, adminPage, scrolling, withQuery } from './admin-parts.ts'
import { field, formStart, instant } from './parts.ts'

/** All groups, with a field for another one. */
export function adminGroupsPage(
  view: View,
  {
    groups,
    said,
    name,
    error,
  }: {
    readonly groups: readonly ListedGroup[]
    readonly said?: AdminNotice | undefined
    readonly name?: string
    readonly error?: string | undefined
  },
): Page {
  const { t } = view
  const { groups: words } = t.admin
  const rows = groups.map((group) => {
    const members = withQuery('/admin/users', { group: group.name })
    return html`<tr><td>${group.name}</td><td><a href="${members}" aria-label="${words.membersOf(group.name, group.members)}">${words.members(group.members)}</a></td><td>${instant(t, group.createdAt)}</td><td><a href="/admin/groups/${group.name}/delete" aria-label="${words.deleteOne(group.name)}">${words.delete}</a></td></tr>
`
  })
  const table = html`<table><thead><tr><th>${words.name}</th><th>${words.membersTitle}</th><th>${words.made}</th><td></td></tr></thead><tbody>
${rows}</tbody></table>`
  return adminPage(view, {
    part: 'groups',
    title: words.title,
    said,
    body: html`<h1>${words.title}</h1>
<p>${words.intro}</p>
${groups.length === 0 ? html`<p>${words.none}</p>` : scrolling(words.title, table)}
<div class="card"><h2>${words.add}</h2>
${formStart(view, '/admin/groups')}
${field({
  name: 'group',
  label: words.name,
  value: name,
  hint: words.hint,
  error,
  autocomplete: 'off',
  maximum: 64,
  attributes: 'autocapitalize="none" spellcheck="false"',
})}
<button>${words.submit}</button></form></div>`,
  })
}

/** Says what deleting a group does before it is done. */
export function deleteGroupPage(view: View, { name, members }: ListedGroup): Page {
  const { t } = view
  const { groups: words } = t.admin
  return adminPage(view, {
    part: 'groups',
    title: words.deleteTitle,
    body: html`<h1>${words.deleteOne(name)}</h1>
<div class="card"><p>${words.deleteIntro(members)}</p>
${formStart(view, `/admin/groups/${name}/delete`)}
<p class="row"><button class="danger">${words.delete}</button> <a href="/admin/groups">${t.common.cancel}</a></p>
</form></div>`,
  })
}
