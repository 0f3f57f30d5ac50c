import { type Html, html, raw } from '../html.ts'
import type { Page, View } from '../page.ts'
import type { Texts } from '../texts/index.ts'
import { notice } from './parts.ts'

/** What a page says about the change that led to it; only these can be asked for in an address. */
export const adminNotices = {
  added: 'good',
  removed: 'good',
  disabled: 'good',
  enabled: 'good',
  unlocked: 'good',
  'devices-stay-disabled': 'warn',
  'sessions-ended': 'good',
  'app-password-revoked': 'good',
  'code-window-ended': 'good',
  'reset-requested': 'good',
  'reset-waits': 'warn',
  'reset-withdrawn': 'good',
  'group-made': 'good',
  'group-deleted': 'good',
  'already-so': 'warn',
  gone: 'warn',
  'is-disabled': 'bad',
  'needs-operator': 'bad',
  'own-account': 'bad',
  busy: 'bad',
  superseded: 'bad',
} as const satisfies Record<string, 'good' | 'warn' | 'bad'>

export type AdminNotice = keyof typeof adminNotices

/** Which entry of the administration's own navigation a page belongs to. */
export type AdminPart = keyof Texts['admin']['nav']

const addresses: Readonly<Record<AdminPart, string>> = {
  overview: '/admin',
  users: '/admin/users',
  groups: '/admin/groups',
  audit: '/admin/audit',
}

/** A page of the administration, with its navigation above. */
export function adminPage(
  { t }: View,
  {
    part,
    title,
    said,
    body,
    shownOnce,
  }: {
    readonly part: AdminPart
    readonly title: string
    readonly said?: AdminNotice | undefined
    readonly body: Html
    readonly shownOnce?: true
  },
): Page {
  const entries = Object.entries(addresses) as [AdminPart, string][] // The keys of the table above.
  const navigation = entries.map(
    ([name, address]) =>
      html`<a href="${address}"${name === part ? raw(' aria-current="page"') : ''}>${t.admin.nav[name]}</a>`,
  )
  return {
    title,
    width: 'wide',
    section: 'admin',
    ...(shownOnce && { shownOnce }),
    body: html`<nav class="tabs" aria-label="${t.common.admin}">${navigation}</nav>
${said === undefined ? '' : notice(adminNotices[said], t.admin.notices[said])}${body}`,
  }
}

/** A table that scrolls by itself where the window is narrow, also by keyboard. */
export function scrolling(label: string, table: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`
}

export function tag(text: string, tone?: 'good' | 'bad' | 'warn'): Html {
  return html`<span class="tag${tone === undefined ? '' : ` ${tone}`}">${text}</span> `
}

/** Links to the first part of a list and to the next one. */
export function paging(
  { t }: View,
  { first, next }: { readonly first: string | undefined; readonly next: string | undefined },
): Html | string {
  if (first === undefined && next === undefined) return ''
  return html`<p class="row">${first === undefined ? '' : html`<a class="button plain small" href="${first}">${t.admin.first}</a>`}${next === undefined ? '' : html`<a class="button plain small" href="${next}" rel="next">${t.admin.next}</a>`}</p>`
}

export interface Choice {
  readonly value: string
  readonly text: string
}

/** A field with given choices. */
export function choiceField({
  name,
  label,
  choices,
  chosen,
}: {
  readonly name: string
  readonly label: string
  readonly choices: readonly Choice[]
  readonly chosen: string
}): Html {
  const options = choices.map(
    ({ value, text }) =>
      html`<option value="${value}"${value === chosen ? raw(' selected') : ''}>${text}</option>`,
  )
  return html`<div class="field"><label for="${name}">${label}</label>
<select id="${name}" name="${name}">${options}</select></div>`
}

/** A path with what is asked for behind it, empty fields left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '')
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

const dayFormats = new Map<string, Intl.DateTimeFormat>()

/** A day of UTC, without its year. */
export function dayText(t: Texts, start: number): string {
  const { locale } = t.common
  const known = dayFormats.get(locale)
  const format = known ?? new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  dayFormats.set(locale, format)
  return format.format(new Date(start * 1000))
}
