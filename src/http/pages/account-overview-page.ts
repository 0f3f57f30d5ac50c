import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { type ActivityEntry, activityList } from './account-activity-page.ts'
import { accountPage, type Told } from './account-frame.ts'
import { recoveryWarning } from './account-recovery-page.ts'
import { instant } from './parts.ts'

export interface OverviewProps {
  readonly told: Told
  readonly username: string
  readonly displayName: string
  readonly groups: readonly string[]
  readonly hasSecondFactor: boolean
  readonly devices: readonly { readonly name: string; readonly lastUsedAt: number | undefined }[]
  readonly recoveryCodesLeft: number
  readonly sessions: number
  readonly passwordChangedAt: number | undefined
  readonly latest: readonly ActivityEntry[]
}

/** Who one is, and the way to everything that one may change. */
export function overviewPage(view: View, props: OverviewProps): Page {
  const { account } = view.t
  const { told, username, displayName, groups, hasSecondFactor } = props
  const body = html`${hasSecondFactor ? recoveryWarning(view, props.recoveryCodesLeft) : oneFactorHint(view)}
<div class="card"><dl class="facts">
<dt>${account.facts.username}</dt><dd>${username}</dd>
${displayName === '' ? '' : html`<dt>${account.facts.displayName}</dt><dd>${displayName}</dd>`}
${groups.length === 0 ? '' : html`<dt>${account.facts.groups}</dt><dd>${groups.join(', ')}</dd>`}
<dt>${account.facts.secondFactor}</dt><dd>${hasSecondFactor ? account.facts.twoFactors : account.facts.oneFactor}</dd>
</dl></div>
<div class="cards">
${cards(view, props)}
</div>
<section class="card"><h2>${account.activity.latest}</h2>
${activityList(view, props.latest)}
<p><a href="/account/activity">${account.activity.all}</a></p></section>`
  const title = account.greeting(displayName === '' ? username : displayName)
  return accountPage(view, 'overview', { title, told, body })
}

function oneFactorHint({ t: { account } }: View): Html {
  return html`<div class="notice warn" role="status"><p>${account.oneFactorHint} <a href="/account/devices">${account.codes.toDevices}</a></p></div>`
}

function cards(view: View, props: OverviewProps): Html {
  const { t } = view
  const { account } = t
  const { devices, recoveryCodesLeft, sessions, passwordChangedAt } = props
  const deviceList = html`<ul>${devices.map(({ name, lastUsedAt }) => html`<li>${name}<br><span class="quiet">${account.lastUsed}: ${instant(t, lastUsedAt)}</span></li>`)}</ul>`
  const card = (path: string, title: string, text: Html | string) =>
    html`<section class="card"><h2><a href="${path}">${title}</a></h2>
${text}</section>
`
  return html`${card('/account/devices', account.devices.title, devices.length === 0 ? html`<p>${account.devices.none}</p>` : deviceList)}${card('/account/recovery-codes', account.codes.title, html`<p>${account.codes.left(recoveryCodesLeft)}</p>`)}${card('/account/sessions', account.sessions.title, html`<p>${account.sessions.count(sessions)}</p>`)}${card('/account/password', account.password.title, html`<p>${account.password.changed}: ${instant(t, passwordChangedAt)}</p>`)}`
}
