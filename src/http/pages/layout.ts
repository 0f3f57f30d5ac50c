import { type Html, html, raw } from '../html.ts'
import { languages } from '../language.ts'
import type { Page, View } from '../page.ts'
import { texts } from '../texts/index.ts'
import { formStart } from './parts.ts'

/** The frame of every page: head, navigation, language and the way out. */
export function layout(view: View, { title, body, width = 'wide', section, shownOnce }: Page): Html {
  const { t, appearance, language } = view
  return html`<!doctype html>
<html lang="${language}" data-language="${t.common.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · ${appearance.name}</title>
<link rel="icon" href="data:,">
<style>${raw(appearance.style)}</style>
<script src="${appearance.script.path}" defer></script>
</head>
<body>
<a class="skip" href="#main">${t.common.skip}</a>
<header>
${brand(view)}
${view.user === undefined ? '' : navigation(view, section)}
</header>
<main id="main" class="${width}">
${body}
</main>
<footer>${shownOnce === true ? '' : languageSwitch(view)}</footer>
</body>
</html>
`
}

function brand({ appearance, user }: View): Html {
  const mark = appearance.logo === undefined ? raw(ownMark) : html`<img src="${appearance.logo.path}" alt="">`
  return html`<a class="brand" href="${user === undefined ? '/login' : '/account'}">${mark}${appearance.name}</a>`
}

/** A keyhole on a shield. */
const ownMark =
  '<svg viewBox="0 0 24 24" aria-hidden="true" width="24" height="28"><path fill="var(--accent)" d="M12 1 3 4.5v6.8c0 5.4 3.7 9.9 9 11.7 5.3-1.800 9-6.300 9-11.700V4.500Z"/><path fill="#fff" d="M12 7.200a2.800 2.800 0 0 0-1.300 5.300L9.800 17h4.400l-.9-4.500A2.800 2.800 0 0 0 12 7.200Z"/></svg>'

function navigation(view: View, section: Page['section']): Html {
  const { t, user } = view
  const entry = (path: string, text: string, isHere: boolean) =>
    html`<a href="${path}"${isHere ? raw(' aria-current="true"') : ''}>${text}</a>`
  return html`<nav>
${entry('/account', t.common.account, section === 'account')}
${user?.isSuperuser === true ? entry('/admin', t.common.admin, section === 'admin') : ''}
</nav>
${formStart(view, '/logout')}<span class="quiet">${user?.username}</span> <button class="plain small">${t.common.signOut}</button></form>`
}

function languageSwitch(view: View): Html | string {
  if (view.formKey === '') return ''
  const choices = languages.map(
    (language) =>
      html`<button class="link" name="language" value="${language}" lang="${language}" aria-pressed="${String(language === view.language)}">${texts[language].common.languageName}</button>`,
  )
  return html`${formStart(view, '/language')}<input type="hidden" name="return_to" value="${view.here}">
<span class="quiet">${view.t.common.language}:</span> ${choices}</form>`
}
