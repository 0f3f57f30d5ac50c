import { type Html, html, raw } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage, type Told } from './account-frame.ts'
import { enrolmentForm, type PendingEnrolment } from './enrolment-page.ts'
import { field, formStart, instant, notice } from './parts.ts'

export interface ShownDevice {
  readonly id: string
  readonly name: string
  readonly kind: 'totp' | 'hotp'
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
  readonly disabled: boolean
}

/** What is wrong with a form of the page, shown in that form. */
export type DeviceFault =
  | { readonly form: 'rename'; readonly id: string; readonly typed: string; readonly error: string }
  | { readonly form: 'remove'; readonly id: string; readonly error: string }
  | { readonly form: 'add'; readonly typed: string; readonly error: string }

export interface DevicesProps {
  readonly told: Told
  readonly devices: readonly ShownDevice[]
  readonly fault?: DeviceFault | undefined
}

/** One's own authenticators: rename, remove, add. */
export function devicesPage(view: View, { told, devices, fault }: DevicesProps): Page {
  const { devices: t } = view.t.account
  const items = devices.map((device) => deviceItem(view, device, fault))
  const added = fault?.form === 'add' ? fault : undefined
  const body = html`<p>${t.intro}</p>
<div class="card">${devices.length === 0 ? html`<p>${t.none}</p>` : html`<ul class="items">${items}</ul>`}</div>
<div class="card"><h2>${t.add}</h2>
<p>${t.addHint}</p>
${formStart(view, '/account/devices/add')}
${field({ name: 'name', label: t.newName, hint: t.newNameHint, value: added?.typed, error: added?.error, required: false, maximum: 64, autocomplete: 'off' })}
<button>${view.t.login.enrol.begin}</button>
</form></div>`
  return accountPage(view, 'devices', { title: t.title, told, body })
}

function deviceItem(view: View, device: ShownDevice, fault: DeviceFault | undefined): Html {
  const { devices: t, lastUsed } = view.t.account
  const { id, name, kind, disabled } = device
  const renamed = fault?.form === 'rename' && fault.id === id ? fault : undefined
  const removed = fault?.form === 'remove' && fault.id === id ? fault : undefined
  const idField = html`<input type="hidden" name="id" value="${id}">`
  return html`<li>
<h2>${name}${disabled ? html` <span class="tag bad">${t.disabled}</span>` : ''}</h2>
<p class="quiet">${kind === 'totp' ? t.app : t.token} · ${t.added}: ${instant(view.t, device.createdAt)} · ${lastUsed}: ${instant(view.t, device.lastUsedAt)}</p>
${disabled ? html`<p>${t.disabledHint}</p>` : ''}
<details${raw(renamed === undefined ? '' : ' open')}><summary aria-label="${t.renameOf(name)}">${t.rename}</summary>
${formStart(view, '/account/devices/rename', ' class="row end"')}${idField}
${field({ id: `name-${id}`, name: 'name', label: t.name, value: renamed?.typed ?? name, error: renamed?.error, maximum: 64, autocomplete: 'off' })}
<button class="plain" aria-label="${t.renameOf(name)}">${t.save}</button></form></details>
<details${raw(removed === undefined ? '' : ' open')}><summary aria-label="${t.removeOf(name)}">${t.remove}</summary>
${notice('bad', removed?.error)}<p>${t.removeHint}</p>
${formStart(view, '/account/devices/remove')}${idField}<button class="danger" aria-label="${t.removeOf(name)}">${t.remove}</button></form></details>
</li>
`
}

/** The picture of a new authenticator, and the field for its first code. */
export function newDevicePage(
  view: View,
  {
    pending,
    error,
    problem,
  }: {
    readonly pending: PendingEnrolment
    readonly error?: string | undefined
    readonly problem?: string | undefined
  },
): Page {
  const { devices: t } = view.t.account
  return {
    title: t.newTitle,
    width: 'narrow',
    section: 'account',
    body: html`<div class="card">
<h1>${t.newTitle}</h1>
${notice('bad', problem)}
${enrolmentForm(view, pending, { form: formStart(view, '/account/devices/new'), error })}
<p></p>
<p><a href="/account/devices">${t.cancel}</a></p>
</div>`,
  }
}
