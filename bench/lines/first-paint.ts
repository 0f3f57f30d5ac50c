import { accessSync, constants } from 'node:fs'
import type { Browser } from 'playwright-core'
import { vhostConfiguration } from '../../src/apache/vhost.ts'
import { startApache } from '../../test/support/apache.ts'
import { startChromium } from '../../test/support/browser.ts'
import type { Bench, Line, Measurement } from '../support/line.ts'
import { median } from '../support/numbers.ts'
import { freePort } from '../support/processes.ts'
import { startWatchword } from '../support/servers.ts'

/** `/login` in Chromium through Apache over TLS, by people who were never here. */
export const firstPaint: Measurement = { names: ['first-paint'], run }

const needed = ['/usr/bin/chromium', '/usr/sbin/apache2', '/usr/bin/setpriv']

async function run(bench: Bench): Promise<Line[]> {
  const missing = needed.filter((program) => !isThere(program))
  if (missing.length > 0) {
    console.log(`– first-paint is left out: there is no ${missing.join(' and no ')}.`)
    return []
  }
  const port = await freePort()
  const backend = { kind: 'tcp', host: '127.0.0.1', port } as const
  const apache = await startApache({ vhost: (place) => vhostConfiguration({ ...place, backend }) })
  const origin = `https://${apache.serverName}:${apache.httpsPort}`
  const server = await startWatchword(bench, {
    WATCHWORD_LISTEN: `127.0.0.1:${port}`,
    WATCHWORD_ORIGIN: origin,
  })
  const chromium = await startChromium(apache)
  const paints: Paint[] = []
  // The first ones wake up Chromium, Apache and the server, and do not count.
  for (let visit = -3; visit < (bench.quick ? 5 : 15); visit++) {
    const paint = await paintOf(chromium, origin)
    if (visit >= 0) paints.push(paint)
  }
  await chromium.close()
  await server.stop()
  await apache.stop()

  const firsts = paints.map(({ first }) => first)
  return [
    {
      name: 'first-paint',
      what: '/login through Apache over TLS in a new browser: first contentful paint',
      measured: median(firsts),
      target: 300,
      must: 'be at most',
      unit: 'ms',
      digits: 0,
      behind: [
        `from ${Math.min(...firsts).toFixed(0)} to ${Math.max(...firsts).toFixed(0)} ms`,
        `answer there after ${median(paints.map(({ answered }) => answered)).toFixed(0)} ms`,
      ],
    },
  ]
}

/** Milliseconds from the start of the navigation. */
interface Paint {
  readonly first: number
  readonly answered: number
}

async function paintOf(chromium: Browser, origin: string): Promise<Paint> {
  const context = await chromium.newContext({ locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(`${origin}/login`)
  const paint = await page.evaluate<Paint>(`new Promise((resolve) =>
    new PerformanceObserver((list) => {
      const [entry] = list.getEntriesByName('first-contentful-paint')
      const [{ responseEnd }] = performance.getEntriesByType('navigation')
      if (entry !== undefined) resolve({ first: entry.startTime, answered: responseEnd })
    }).observe({ type: 'paint', buffered: true }))`)
  await context.close()
  return paint
}

function isThere(program: string): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false // Which the line of the table tells.
  }
}
