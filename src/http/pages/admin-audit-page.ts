import { auditEventNames } from '../../domain/audit.ts'
import type { ListedEvent } from '../../store/views/list-audit.ts'
import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import type { Texts } from '../texts/index.ts'
import { adminPage, choiceField, paging, scrolling, withQuery } from './admin-parts.ts'
import { auditSentence } from './audit-sentence.ts'
import { field, instant } from './parts.ts'

/** What was asked for, as it was typed. */
export interface AuditSearch {
  readonly user?: string | undefined
  readonly event?: string | undefined
  readonly address?: string | undefined
  /** Days of UTC, as `2026-07-29`. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly after?: string | undefined
}

export interface AdminAuditProps {
  readonly asked: AuditSearch
  readonly events: readonly ListedEvent[]
  /** What the next part comes after; absent at the end. */
  readonly next: string | undefined
  /** Names of users who did something, by identifier. */
  readonly names: ReadonlyMap<string, string>
  readonly errors: { readonly user?: string; readonly from?: string; readonly to?: string }
}

/** A part of the audit log, the latest first. */
export function adminAuditPage(view: View, { asked, events, next, names, errors }: AdminAuditProps): Page {
  const { t } = view
  const { audit: words } = t.admin
  const { after, ...filters } = asked
  return adminPage(view, {
    part: 'audit',
    title: words.title,
    body: html`<h1>${words.title}</h1>
${searchForm(t, asked, errors)}
${events.length === 0 ? html`<p>${words.none}</p>` : table(t, events, names)}
${paging(view, {
  first: after === undefined ? undefined : withQuery('/admin/audit', filters),
  next: next === undefined ? undefined : withQuery('/admin/audit', { ...filters, after: next }),
})}
<p>${words.export}: <a href="${withQuery('/admin/audit.csv', filters)}">CSV</a> · <a href="${withQuery('/admin/audit.jsonl', filters)}">${words.jsonLines}</a></p>`,
  })
}

function searchForm(t: Texts, asked: AuditSearch, errors: AdminAuditProps['errors']): Html {
  const { audit: words } = t.admin
  const names = auditEventNames.map((value) => ({ value, text: t.audit.names[value] }))
  const choices = [
    { value: '', text: words.anything },
    ...names.toSorted((a, b) => a.text.localeCompare(b.text, t.common.locale)),
  ]
  const day = (name: 'from' | 'to') =>
    field({
      name,
      label: name === 'from' ? words.fromDay : words.toDay,
      value: asked[name],
      type: 'date',
      required: false,
      error: errors[name],
    })
  return html`<form class="card" role="search"><div class="row end">
${field({ name: 'user', label: words.user, value: asked.user, error: errors.user, required: false, maximum: 128, attributes: 'autocapitalize="none" spellcheck="false"' })}
${choiceField({ name: 'event', label: words.event, choices, chosen: asked.event ?? '' })}
${field({ name: 'address', label: words.address, value: asked.address, required: false, maximum: 64 })}
${day('from')}${day('to')}
<button>${t.admin.show}</button></div></form>`
}

function table(t: Texts, events: readonly ListedEvent[], names: AdminAuditProps['names']): Html {
  const { audit: words } = t.admin
  const rows = events.map(
    (
      event,
    ) => html`<tr><td>${instant(t, event.at)}</td><td>${auditSentence(t, event)}</td><td>${person(event.userId, event.username)}</td><td>${actor(t, event, names)}</td><td>${event.address ?? ''}</td></tr>
`,
  )
  return scrolling(
    words.title,
    html`<table><thead><tr><th>${words.when}</th><th>${words.what}</th><th>${words.user}</th><th>${words.by}</th><th>${words.from}</th></tr></thead><tbody>
${rows}</tbody></table>`,
  )
}

function person(id: string | undefined, name: string | undefined): Html | string {
  if (id === undefined) return ''
  return name === undefined ? html`<code>${id}</code>` : html`<a href="/admin/users/${id}">${name}</a>`
}

/** Who did it, where it was not the user. */
function actor(t: Texts, { actor: { kind, id }, userId }: ListedEvent, names: AdminAuditProps['names']) {
  switch (kind) {
    case 'user':
      return id === userId ? '' : person(id, id === undefined ? undefined : names.get(id))
    case 'operator':
      return html`${t.admin.audit.operator}${id === undefined ? '' : ` ${id}`}`
    case 'system':
      return t.admin.audit.system
    case 'anonymous':
      return t.admin.audit.anonymous
  }
}
