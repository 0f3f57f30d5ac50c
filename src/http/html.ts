import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

export { html, raw }

/** Markup in which every interpolated value was escaped (SEC-WEB-6). */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>
