import type { Overview, OverviewDay } from '../../store/views/overview.ts'
import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { adminPage, dayText, scrolling } from './admin-parts.ts'
import { plot } from './plot.ts'

/** How things stand, and how the last days went. */
export function adminOverviewPage(view: View, { users, sessions, estimated, days }: Overview): Page {
  const { overview, nav } = view.t.admin
  const share = users.total === 0 ? 0 : Math.floor((100 * users.withSecondFactor) / users.total)
  const count = (value: number) => (estimated ? `≈ ${value}` : String(value))
  const figure = (value: string, text: string, address: string) =>
    html`<div><b>${value}</b><a href="${address}">${text}</a></div>`
  return adminPage(view, {
    part: 'overview',
    title: view.t.common.admin,
    body: html`<h1>${nav.overview}</h1>
<div class="figures">
${figure(count(users.total), overview.users, '/admin/users')}
${figure(`${share} %`, overview.withSecondFactor, '/admin/users?filter=no-second-factor')}
${figure(count(users.disabled), overview.disabled, '/admin/users?filter=disabled')}
<div><b>${count(sessions)}</b>${overview.sessions}</div>
</div>
<h2>${overview.lastDays(days.length)}</h2>
<div class="plots">
${series(view, { title: overview.signIns, days, columns: [[overview.signIns, ({ signedIn }) => signedIn]] })}
${series(view, {
  title: overview.refusals,
  days,
  tone: 'bad',
  columns: [
    [overview.passwords, ({ passwordsRefused }) => passwordsRefused],
    [overview.codes, ({ codesRefused }) => codesRefused],
    [overview.waits, ({ throttled }) => throttled],
  ],
})}
${series(view, {
  title: overview.enrolments,
  days,
  tone: 'good',
  columns: [[overview.enrolments, ({ enrolments }) => enrolments]],
})}
</div>
<p class="hint">${overview.daysHint}</p>`,
  })
}

type Column = readonly [title: string, count: (day: OverviewDay) => number]

/** A plot of the sum of its columns, and the columns by themselves as a table. */
function series(
  { t }: View,
  {
    title,
    days,
    columns,
    tone,
  }: {
    readonly title: string
    readonly days: readonly OverviewDay[]
    readonly columns: readonly Column[]
    readonly tone?: 'good' | 'bad'
  },
): Html {
  const { overview } = t.admin
  const values = days.map((day) => columns.reduce((sum, [, count]) => sum + count(day), 0))
  const all = values.reduce((sum, value) => sum + value, 0)
  const most = Math.max(0, ...values)
  const [first, last] = [days.at(0), days.at(-1)].map((day) => (day ? dayText(t, day.start) : ''))
  const busiest = days[values.indexOf(most)]
  const on = busiest === undefined ? '' : dayText(t, busiest.start)
  const label = overview.gist({ title, days: days.length, all, most, on })
  // The latest first, as in every list.
  const rows = days
    .toReversed()
    .map(
      (day) =>
        html`<tr><th scope="row">${dayText(t, day.start)}${columns.map(([, count]) => html`<td class="number">${count(day)}`)}`,
    )
  const table = html`<table><thead><tr><th>${overview.day}${columns.map(([name]) => html`<th class="number">${name}`)}</thead><tbody>${rows}</tbody></table>`
  return html`<section class="card"><h3>${title}</h3>
<p class="hint">${all === 0 ? overview.none : overview.sum(all, most)}</p>
${plot({ label, values, ...(tone && { tone }) })}
<p class="row spread hint" aria-hidden="true"><span>${first}</span><span>${last}</span></p>
<details><summary>${overview.numbers}</summary>${scrolling(title, table)}</details></section>`
}
