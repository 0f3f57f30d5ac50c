import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { compose } from '../../src/compose.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import type { Services } from '../../src/services.ts'
import { type Apache, startApache, temporaryFolder } from './apache.ts'
import { openVisitor, startChromium, type Visitor } from './browser.ts'
import { environment, runWatchword, startWatchword, type Watchword } from './watchword.ts'

/** Chromium, Apache with TLS and the server as its own process, on a database of their own. */
export interface BrowserWorld {
  /** What people type: scheme, name and port of Apache. */
  readonly origin: string
  readonly apache: Apache
  readonly chromium: Browser
  readonly config: Config
  /** The same database, for what a test has to prepare; the clock is the system's. */
  readonly services: Services
  server(): Watchword
  /** Ends the server and starts it again, with more settings. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>
  /** Runs a command of the program beside the server. */
  command(args: readonly string[], stdin?: string): Promise<string>
  /** A page in a browser that nobody used before. */
  visit(options?: BrowserContextOptions): Promise<Page>
  /** Fails if any browser so far had anything to complain about, and forgets the complaints. */
  assertCalm(): void
  /** What the browser of this page complained about so far. */
  complaintsOf(page: Page): readonly string[]
  close(): Promise<void>
}

/** Starts a world; close it at the end. Settings are given as variables of the environment. */
export async function startBrowserWorld(
  settings: Readonly<Record<string, string>> = {},
): Promise<BrowserWorld> {
  const folder = temporaryFolder('ww-browser-')
  const socket = join(folder, 'watchword.sock')
  const apache = await startApache({
    vhost: (place) => vhostConfiguration({ ...place, backend: { kind: 'unix', path: socket } }),
  })
  const origin = `https://${apache.serverName}:${apache.httpsPort}`
  const closing: (() => Promise<unknown>)[] = [() => apache.stop()]
  const close = async () => {
    for (const end of closing.toReversed()) await end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const env = environment(folder, {
      WATCHWORD_LISTEN: `unix:${socket}`,
      WATCHWORD_ORIGIN: origin,
      // Apache's workers are of another user here; in production the group of the folder is theirs.
      WATCHWORD_SOCKET_MODE: '666',
      // Everybody of a test comes from one address.
      WATCHWORD_THROTTLE_NETWORK_LIMIT: '10000',
      WATCHWORD_THROTTLE_SITE_LIMIT: '10000',
      ...settings,
    })
    let server = await startWatchword(folder, env)
    closing.push(() => server.stop())
    const config = loadConfig({ cwd: folder, env })
    const composed = await compose(config)
    closing.push(() => composed.close())
    const chromium = await startChromium(apache)
    closing.push(() => chromium.close())
    const visitors: Visitor[] = []
    return {
      origin,
      apache,
      chromium,
      config,
      services: composed.services,
      server: () => server,
      async restart(more = {}) {
        await server.stop()
        server = await startWatchword(folder, { ...env, ...more })
      },
      command: (args, stdin = '') => runWatchword(folder, env, { args, stdin }),
      async visit(options) {
        const visitor = await openVisitor(chromium, origin, options)
        visitors.push(visitor)
        return visitor.context.newPage()
      },
      assertCalm() {
        const complaints = visitors.flatMap((visitor) => visitor.complaints)
        if (complaints.length > 0) visitors.length = 0
        assert.deepEqual(complaints, [])
      },
      complaintsOf: (page) => visitors.find(({ context }) => context === page.context())?.complaints ?? [],
      close,
    }
  } catch (fault) {
    await close()
    throw fault
  }
}
