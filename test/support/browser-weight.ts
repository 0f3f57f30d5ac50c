import type { Page } from 'playwright-core'

/** What the page that is shown now took to come. */
export interface Weight {
  readonly status: number
  readonly requests: number
  /** Bytes over the wire, headers and all, as if the browser had never been here. */
  readonly bytes: number
}

/** Weighs each page that is shown from now on; what led there by redirects does not count. */
export async function weigh(page: Page): Promise<() => Weight> {
  const debuggee = await page.context().newCDPSession(page)
  await debuggee.send('Network.enable')
  // A cached script would weigh nothing.
  await debuggee.send('Network.setCacheDisabled', { cacheDisabled: true })
  let status = 0
  let requests = 0
  let bytes = 0
  debuggee.on('Network.responseReceived', ({ type, response }) => {
    if (type === 'Document') status = response.status
  })
  debuggee.on('Network.requestWillBeSent', ({ type, request }) => {
    if (type === 'Document') {
      requests = 0
      bytes = 0
    }
    if (!request.url.startsWith('data:')) requests++
  })
  debuggee.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  return () => ({ status, requests, bytes })
}
