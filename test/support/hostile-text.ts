import fc from 'fast-check'
import type { Page } from 'playwright-core'

/** What a mark calls when it runs as a script; a page that has it has been broken. */
const ALARM = 'watchwordAlarm'

/** How many texts are tried in each field; 500 before a release. */
export const HOSTILE_COUNT = Number(process.env.WW_HOSTILE_COUNT ?? 100)

/** Makes every script of a value that runs in this browser a complaint. */
export function watchForAlarm(page: Page): Promise<unknown> {
  return page.context().addInitScript(`window.${ALARM} = () => console.error('a value ran as a script')`)
}

/** Settings that are hostile themselves, for the names of the site are on every page. */
export const hostileSettings: Readonly<Record<string, string>> = {
  WATCHWORD_BRAND_NAME: `"><script>${ALARM}()</script>&amp;`,
  WATCHWORD_ISSUER: `'><img src=x onerror=${ALARM}()>`,
  WATCHWORD_THROTTLE_SERVER_LIMIT: '1000000',
}

/** Text that runs `watchwordAlarm()` wherever it stands unescaped: in text, attributes, comments, scripts, styles, addresses. */
const vectors: readonly string[] = [
  `<script>${ALARM}()</script>`,
  `</script><script>${ALARM}()</script>`,
  `<img src=x onerror=${ALARM}()>`,
  `"><img src=x onerror=${ALARM}()>`,
  `'><svg onload=${ALARM}()>`,
  `<svg/onload=${ALARM}()>`,
  `<svg><script>${ALARM}()</script></svg>`,
  `<svg><animate onbegin=${ALARM}() attributeName=x dur=1s>`,
  `<math><mtext><img src onerror=${ALARM}()>`,
  `<iframe srcdoc="<script>parent.${ALARM}()</script>">`,
  `<iframe src="javascript:parent.${ALARM}()">`,
  `<object data="javascript:${ALARM}()">`,
  `<a href="javascript:${ALARM}()">x</a>`,
  `javascript:${ALARM}()`,
  `JaVaScRiPt:${ALARM}()`,
  `java&#9;script:${ALARM}()`,
  `data:text/html,<script>${ALARM}()</script>`,
  `" autofocus onfocus="${ALARM}()`,
  `' autofocus onfocus='${ALARM}()`,
  `" onmouseover="${ALARM}()" x="`,
  `x onfocus=${ALARM}() autofocus`,
  `\` onfocus=${ALARM}() autofocus \``,
  `</title><script>${ALARM}()</script>`,
  `</textarea><script>${ALARM}()</script>`,
  `</style><script>${ALARM}()</script>`,
  `</noscript><script>${ALARM}()</script>`,
  `</option></select><img src=x onerror=${ALARM}()>`,
  `</td></tr></table><img src=x onerror=${ALARM}()>`,
  `--><script>${ALARM}()</script><!--`,
  `--!><img src=x onerror=${ALARM}()>`,
  `]]><script>${ALARM}()</script>`,
  `<details open ontoggle=${ALARM}()>`,
  `<video src=x onerror=${ALARM}()>`,
  `<input autofocus onfocus=${ALARM}()>`,
  `<style>@import "https://evil.example/x.css"</style>`,
  `<link rel=stylesheet href="https://evil.example/x.css">`,
  `<base href="https://evil.example/">`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
  `<form action="https://evil.example/"><button>x</button></form>`,
  `<img src="https://evil.example/x.png">`,
  `\${${ALARM}()}`,
  `{{constructor.constructor("${ALARM}()")()}}`,
  `<%= ${ALARM}() %>`,
  `';${ALARM}();//`,
  `";${ALARM}();//`,
  `\\";${ALARM}();//`,
  `\\u003cscript\\u003e${ALARM}()\\u003c/script\\u003e`,
  `&lt;script&gt;${ALARM}()&lt;/script&gt;`,
  `&#60;img src=x onerror=${ALARM}()&#62;`,
  `%3Cscript%3E${ALARM}()%3C/script%3E`,
  `＜script＞${ALARM}()＜/script＞`,
  `<script/x>${ALARM}()</script>`,
  `<scr<script>ipt>${ALARM}()</scr</script>ipt>`,
  `<IMG SRC=x OnErRoR=${ALARM}()>`,
  `<plaintext>`,
  `<!--`,
  `<![CDATA[`,
  `<?xml version="1.0"?>`,
  `<template><script>${ALARM}()</script></template>`,
  `=cmd|' /C calc'!A0`,
  `=HYPERLINK("https://evil.example/","x")`,
  `@SUM(1+1)*cmd|' /C calc'!A0`,
  `constructor`,
  `__proto__`,
  `"'<>&\`=/\\`,
]

/**
 * This many different texts that try to become markup, script or styles; each call gives the same ones.
 *
 * The first are known ways, the others are made of their parts. Each is at most `longest` code points.
 */
export function hostileTexts(count: number, longest: number): readonly string[] {
  const parts = fc.constantFrom(
    ...['<', '>', '"', "'", '`', '&', '/', '=', ' ', '--', '</', '<!', '&#60;', '&lt', '\\', '{{', '${', ';'],
    ...['script', 'img src=x', 'svg', 'style', 'textarea', 'title', 'onerror', 'onload', 'onfocus autofocus'],
    ...[`${ALARM}()`, `=${ALARM}()`, 'javascript:', 'srcdoc=', 'é', '😀', 'ẞ'],
  )
  const made = fc
    .array(parts, { minLength: 3, maxLength: 10 })
    .map((list) => list.join('').trim())
    .filter((text) => [...text].length >= 1)
  const cut = (text: string) => [...text].slice(0, longest).join('').trim()
  const sample = fc.sample(made, { seed: 7, numRuns: count * 3 })
  return [...new Set([...vectors, ...sample].map(cut))].filter((text) => text !== '').slice(0, count)
}
