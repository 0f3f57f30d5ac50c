import { type Html, html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { accountPage, type Told } from './account-frame.ts'
import { formStart, instant } from './parts.ts'

/** From this many codes on it is time for a new set. */
const FEW = 3

/** How many recovery codes are left, and the way to a new set. */
export function recoveryOverviewPage(
  view: View,
  props: {
    readonly told: Told
    readonly left: number
    readonly madeAt: number | undefined
    readonly hasSecondFactor: boolean
  },
): Page {
  const { codes } = view.t.account
  const { told, left, madeAt, hasSecondFactor } = props
  const make = html`<div class="card"><p>${codes.makeHint}</p>
${formStart(view, '/account/recovery-codes')}<button>${left === 0 ? codes.makeFirst : codes.make}</button></form></div>`
  const needsDevice = html`<div class="card"><p>${codes.needsDevice}</p><p><a class="button" href="/account/devices">${codes.toDevices}</a></p></div>`
  const body = html`<p>${codes.intro}</p>
${hasSecondFactor ? recoveryWarning(view, left, false) : ''}
${left === 0 ? '' : html`<p><strong>${codes.left(left)}</strong>${madeAt === undefined ? '' : html` <span class="quiet">${codes.made}: ${instant(view.t, madeAt)}</span>`}</p>`}
${hasSecondFactor ? make : needsDevice}`
  return accountPage(view, 'codes', { title: codes.title, told, body })
}

/** Says when the recovery codes run out, with the way to new ones where that is elsewhere. */
export function recoveryWarning({ t }: View, left: number, withLink = true): Html | string {
  const { codes } = t.account
  if (left > FEW) return ''
  const link = html` <a href="/account/recovery-codes">${left === 0 ? codes.makeFirst : codes.make}</a>`
  return html`<div class="notice ${left === 0 ? 'bad' : 'warn'}" role="status"><p>${left === 0 ? codes.none : codes.few(left)}${withLink ? link : ''}</p></div>`
}

/** Asks once more whether the codes were saved, when the box was not ticked. */
export function savedNeededPage(view: View, { returnTo }: { readonly returnTo: string | undefined }): Page {
  const { recovery } = view.t.login
  const { codes } = view.t.account
  return {
    title: recovery.title,
    width: 'narrow',
    section: 'account',
    body: html`<div class="card">
<h1>${recovery.title}</h1>
<p>${codes.lost}</p>
${formStart(view, '/account/recovery-codes/saved')}
${returnTo === undefined ? '' : html`<input type="hidden" name="return_to" value="${returnTo}">`}
<div class="field"><div class="check"><input type="checkbox" id="saved" name="saved" value="yes" required aria-invalid="true" aria-describedby="saved-error"><label for="saved">${recovery.saved}</label></div>
<p class="error" id="saved-error">${recovery.savedNeeded}</p></div>
<button class="wide">${view.t.common.continue}</button>
</form>
<p></p>
<p><a href="/account/recovery-codes">${codes.make}</a></p>
</div>`,
  }
}
