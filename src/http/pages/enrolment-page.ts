import { encodeBase32 } from '../../domain/otp/base32.ts'
import { type Html, html, raw } from '../html.ts'
import type { View } from '../page.ts'
import { qrSvg } from '../qr-svg.ts'
import { codeField, notice, waitText } from './parts.ts'

/** An enrolment that waits for its first code. */
export interface PendingEnrolment {
  readonly key: Uint8Array
  readonly uri: string
  /** Seconds left. */
  readonly lifetime: number
}

/** The picture, the secret, the link and the field for the first code; `formStart` is the form that it goes into. */
export function enrolmentForm(
  { t }: View,
  { key, uri, lifetime }: PendingEnrolment,
  { form, error }: { readonly form: Html; readonly error?: string | undefined },
): Html {
  const { enrol } = t.login
  const secret = encodeBase32(key)
  const groups = secret.match(/.{1,4}/g)?.join(' ') ?? secret
  return html`<h2>1. ${enrol.scan}</h2>
<div id="qr" role="img" aria-label="${enrol.qr}">${raw(qrSvg(uri))}</div>
<p class="label" id="secret-label">${enrol.manual}</p>
<p class="secret" id="secret" data-text="${secret}" aria-labelledby="secret-label" role="group">${groups}</p>
<p class="row"><button type="button" class="plain small only-script" data-copy="#secret" data-done="${t.common.copied}">${t.common.copy}</button>
<a href="${uri}">${enrol.link}</a></p>
<h2>2. ${enrol.confirm}</h2>
${form}
${codeField({ label: enrol.label, hint: enrol.secondsLeft(waitText(t, lifetime)), error, autofocus: error !== undefined })}
<button class="wide">${enrol.submit}</button>
</form>`
}

/** Why an enrolment has to begin (again), with the button that does it. */
export function enrolmentStart(
  { t }: View,
  { form, problem }: { readonly form: Html; readonly problem?: string | undefined },
): Html {
  return html`${notice('warn', problem)}${form}<button class="wide">${t.login.enrol.begin}</button></form>`
}
