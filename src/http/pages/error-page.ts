import type { Answer, ApiError } from '../answer.ts'
import { html } from '../html.ts'
import { pageAnswer, type View } from '../page.ts'
import type { ErrorText } from '../texts/en/common.ts'

/** A page that says what went wrong and what to do. */
export function errorPage(
  view: View,
  text: ErrorText,
  {
    status,
    headers = {},
    requestId,
  }: { readonly status: number; readonly headers?: Answer['headers']; readonly requestId?: string },
): Promise<Answer> {
  const { t, here } = view
  const [title, sentence] = t.common.errors[text]
  const [path = '/'] = here.split('?')
  // Opening again is of use only where the page itself was right.
  const mayRepeat = !['forbidden', 'notFound', 'notAllowed'].includes(text)
  const body = html`<div class="card">
<h1>${title}</h1>
<p>${sentence}</p>
${requestId === undefined ? '' : html`<p class="quiet">${t.common.requestId}: <code>${requestId}</code></p>`}
<p>${mayRepeat ? html`<a class="button" href="${path}">${t.common.tryAgain}</a>` : html`<a class="button" href="/">${t.common.start}</a>`}</p>
</div>`
  return pageAnswer(view, { title, body, width: 'narrow' }, { status, headers })
}

/** The page for a fault that has become an answer of the API. */
export function errorTextOf({ status, body }: Answer): ErrorText {
  const code = (body as ApiError | undefined)?.code // Faults are always answered by `failure`.
  if (code === 'ambiguous_cookie') return 'ambiguous'
  if (code === 'busy') return 'busy'
  if (code === 'outcome_unknown') return 'uncertain'
  return status === 503 ? 'unavailable' : 'internal'
}
