import type { ApiDocsFiles } from '../api-docs-files.ts'
import type { Appearance } from '../appearance.ts'
import { type Html, html } from '../html.ts'

/**
 * The frame in which the package draws the API documentation.
 *
 * In English only, as the API itself is, and without our stylesheet: each would spoil the look of the other.
 */
export function apiDocsPage({ name }: Pick<Appearance, 'name'>, { style, scripts }: ApiDocsFiles): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>API · ${name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style.path}">
${scripts.map(({ path }) => html`<script src="${path}" defer></script>\n`)}</head>
<body>
<main id="api">
<noscript><p>This page needs JavaScript. What it shows is made from <a href="/openapi.json">openapi.json</a>.</p></noscript>
</main>
</body>
</html>
`
}
