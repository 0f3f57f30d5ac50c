import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage } from './account-frame.ts'
import { instant } from './parts.ts'

/** An event of one's own account, in words. */
export interface ActivityEntry {
  readonly at: number
  readonly sentence: string
  /** Who did it, where it was not oneself. */
  readonly by: string | undefined
  readonly isRefusal: boolean
  /** Address and program; nothing where somebody else did it. */
  readonly from: { readonly address: string; readonly program: string } | undefined
}

/** What happened to one's own account, a part at a time. */
export function activityPage(
  view: View,
  {
    entries,
    isFirst,
    next,
  }: {
    readonly entries: readonly ActivityEntry[]
    readonly isFirst: boolean
    readonly next: string | undefined
  },
): Page {
  const { activity } = view.t.account
  const body = html`<p>${activity.intro}</p>
<div class="card">${activityList(view, entries)}</div>
<p class="row">${isFirst ? '' : html`<a class="button plain small" href="/account/activity">${activity.newest}</a>`}${next === undefined ? '' : html`<a class="button plain small" rel="next" href="/account/activity?after=${next}">${activity.older}</a>`}</p>`
  return accountPage(view, 'activity', { title: activity.title, told: {}, body })
}

/** Events as a list, so that a phone needs no table to be scrolled. */
export function activityList({ t }: View, entries: readonly ActivityEntry[]): Html {
  const { activity } = t.account
  if (entries.length === 0) return html`<p>${activity.none}</p>`
  const items = entries.map(
    ({
      at,
      sentence,
      by,
      isRefusal,
      from,
    }) => html`<li>${sentence}${by === undefined ? '' : ` ${by}`}${isRefusal ? html` <span class="tag bad">${activity.failed}</span>` : ''}
<br><span class="quiet">${instant(t, at)}${from === undefined ? '' : ` · ${from.program} · ${from.address}`}</span></li>
`,
  )
  return html`<ul class="items">${items}</ul>`
}
