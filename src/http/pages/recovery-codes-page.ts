import { html } from '../html.ts'
import type { Page, View } from '../page.ts'
import { formStart } from './parts.ts'

/** Recovery codes, shown this once, with the gate that asks whether they were saved. */
export function recoveryCodesPage(
  view: View,
  { codes, returnTo }: { readonly codes: readonly string[]; readonly returnTo: string },
): Page {
  const { recovery } = view.t.login
  const { copy, copied, print, download } = view.t.common
  return {
    title: recovery.title,
    width: 'narrow',
    section: 'account',
    shownOnce: true,
    body: html`<div class="card">
<h1>${recovery.title}</h1>
<p>${recovery.intro}</p>
<ul id="recovery-codes" aria-label="${recovery.codes}">${codes.map((code) => html`<li>${code}</li>`)}</ul>
<p class="row no-print">
<button type="button" class="plain small only-script" data-print="">${print}</button>
<button type="button" class="plain small only-script" data-copy="#recovery-codes li" data-done="${copied}">${copy}</button>
<button type="button" class="plain small only-script" data-download="${recovery.fileName}" data-source="#recovery-codes li">${download}</button>
</p>
${formStart(view, '/account/recovery-codes/saved', ' class="no-print"')}
<input type="hidden" name="return_to" value="${returnTo}">
<div class="field check"><input type="checkbox" id="saved" name="saved" value="yes" required><label for="saved">${recovery.saved}</label></div>
<button class="wide">${view.t.common.continue}</button>
</form>
</div>`,
  }
}

/** After a sign-in with a recovery code: how many are left, and what to do about the lost authenticator. */
export function recoveryUsedPage(view: View, { left, returnTo }: { left: number; returnTo: string }): Page {
  const { recovery } = view.t.login
  return {
    title: recovery.usedTitle,
    width: 'narrow',
    section: 'account',
    shownOnce: true,
    body: html`<div class="card">
<h1>${recovery.usedTitle}</h1>
<p>${recovery.left(left)} ${recovery.ended}</p>
<p>${recovery.newDevice}</p>
<p><a class="button wide" href="/account/devices">${recovery.toDevices}</a></p>
<p><a class="button plain wide" href="/account/recovery-codes">${recovery.toCodes}</a></p>
<p><a href="${returnTo}">${view.t.common.continue}</a></p>
</div>`,
  }
}
