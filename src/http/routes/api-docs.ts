import { apiDocsFiles } from '../api-docs-files.ts'
import { apiDocsPolicy } from '../guards/security-headers.ts'
import { pageRoute } from '../page-endpoint.ts'
import { apiDocsPage } from '../pages/api-docs-page.ts'

/** `GET /docs/api`: what the API can do, to read and to try. */
export const showApiDocs = pageRoute({
  method: 'GET',
  path: '/docs/api',
  access: 'anybody',
  handle: async (_, { appearance }) => ({
    status: 200,
    body: String(await apiDocsPage(appearance, apiDocsFiles())),
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': apiDocsPolicy },
  }),
})
