import { createHash, X509Certificate } from 'node:crypto'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Request,
} from 'playwright-core'

/** Debian's Chromium, which trusts one certificate and finds one host. */
export interface ChromiumOptions {
  /** The name that is found; it is 127.0.0.1. */
  readonly serverName: string
  /** More of them. */
  readonly otherNames?: readonly string[]
  /** The one certificate that is trusted besides the usual ones, PEM. */
  readonly certificate: string
}

/** Starts Chromium without a window. It ends with this process, because it listens on a pipe of ours. */
export function startChromium(options: ChromiumOptions): Promise<Browser> {
  const { serverName, otherNames = [], certificate } = options
  const found = [serverName, ...otherNames].map((name) => `MAP ${name} 127.0.0.1`).join(', ')
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
      `--host-resolver-rules=${found}, MAP * ~NOTFOUND`,
      `--ignore-certificate-errors-spki-list=${fingerprint(certificate)}`,
    ],
  })
}

function fingerprint(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

/** A browser of one person, and what it had to complain about. */
export interface Visitor {
  readonly context: BrowserContext
  /**
   * Reports of the content security policy, errors and warnings of the console, uncaught exceptions, dialogs, requests
   * to other hosts and requests that failed, as they came.
   */
  readonly complaints: readonly string[]
}

/** Opens a browser of its own, with no cookies, and listens to whatever it complains about from now on. */
export async function openVisitor(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: origin,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 900 },
    ...options,
  })
  // Most of what a slow machine needs; a test that waits in vain is to say so before its own limit.
  context.setDefaultTimeout(15_000)
  await context.addInitScript(reportViolations)
  return { context, complaints: listen(context, origin) }
}

/** Tells of each violation, also of one that a policy reports without a line in the console. */
const reportViolations = `
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample)
  })`

function listen(context: BrowserContext, origin: string): readonly string[] {
  const complaints: string[] = []
  const complain = (text: string) => {
    complaints.push(text)
  }
  context.on('console', (message) => {
    const type = message.type()
    if (type !== 'error' && type !== 'warning') return
    const text = message.text()
    // A page that says 404 is a page; a part of a page that does is told by 'response'.
    if (/^Failed to load resource: the server responded with a status of /.test(text)) return
    // The browser leaves out what a field for a date cannot hold, and says so.
    if (/^The specified value .* does not conform to the required format/.test(text)) return
    complain(`console ${type}: ${text}`)
  })
  context.on('weberror', (error) => complain(`exception: ${error.error().message}`))
  context.on('dialog', async (dialog) => {
    complain(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  context.on('request', (request) => {
    const url = request.url()
    const isOurs = new URL(url).origin === origin || /^(?:data|blob|about):/.test(url)
    if (!isOurs) complain(`other host: ${url}`)
  })
  context.on('requestfailed', (request) => {
    if (!isOverwritten(request)) complain(`failed: ${request.url()} ${request.failure()?.errorText}`)
  })
  context.on('response', (response) => {
    const isPage = response.request().isNavigationRequest()
    if (response.status() >= 400 && !isPage) complain(`${response.status()}: ${response.url()}`)
  })
  return complaints
}

/** A page that another takes the place of before it is there, or that becomes a download, is no failure. */
function isOverwritten(request: Request): boolean {
  return request.isNavigationRequest() && request.failure()?.errorText === 'net::ERR_ABORTED'
}
