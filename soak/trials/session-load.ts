import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from '../../bench/support/http.ts'
import { closedLoop, type Outcome } from '../../bench/support/load.ts'
import { median, percentile } from '../../bench/support/numbers.ts'
import { startLeased } from '../../test/support/leased.ts'
import { count, noFindings } from '../support/town/settle.ts'
import type { Judgement, Samples, Stage, Trial } from '../support/trial.ts'

const VISITORS = 50
/** At the size `soak`, on cores that do nothing else: authorised requests a second, and p99 in milliseconds. */
const [FEWEST, LONGEST] = [1500, 30]
/** On any machine: how much of an unprotected file's rate is left where every request is asked about. */
const LEAST_PART = 0.05

/** Session checks as fast as Apache asks for them. */
export const sessionLoad: Trial = {
  id: 'FT-LOAD-1',
  name: 'session-load',
  holds:
    'Under load everybody signed in is let in and nobody else: no error, and on quiet cores 1,500 checks a second, 99 of 100 within 30 ms (I3).',
  rounds: 'minutes, or parts of one',
  sizes: { ci: 3, soak: 30, release: 30 },
  needs: ['members let in', 'pages of a session', 'strangers sent away'],
  patience: 180,
  begin,
  judge: judged,
}

async function begin({ size }: Stage) {
  const here = await startLeased('[policies.asking]\nlease = 0\n', 'two-factor')
  const open = join(here.apache.folder, 'htdocs', 'open')
  mkdirSync(open)
  writeFileSync(join(open, 'index.html'), 'the page\n')
  const people = await Promise.all(Array.from({ length: VISITORS }, () => here.somebody()))
  const sitePort = here.apache.httpPort
  const pagesPort = Number(new URL(here.pages).port)
  const milliseconds = size === 'ci' ? 1500 : 20_000
  const load = (port: number, path: string, cookies: readonly string[], host: string) => {
    const jobs = cookies.map((cookie) => ({
      bytes: request('GET', path, { headers: { host, cookie, accept: 'text/html' } }),
    }))
    let next = 0
    return closedLoop(
      port,
      () => jobs[next++ % jobs.length],
      { concurrency: 16, milliseconds },
      () => true,
    )
  }
  const there = people.map((person) => person.there)
  const host = new URL(here.site).host
  return {
    async round() {
      const found = noFindings()
      const unprotected = await load(sitePort, '/open/', there, host)
      const asked = await load(sitePort, '/asked/', there, host)
      // Both sides of it, for other programs may begin in between.
      const again = await load(sitePort, '/open/', there, host)
      const leased = await load(sitePort, '/leased/', there, host)
      const pages = await load(
        pagesPort,
        '/auth/session/',
        people.map(({ own }) => own),
        new URL(here.pages).host,
      )
      const strangers = await load(
        sitePort,
        '/asked/',
        people.map((_, at) => `watchword-site=${String(at).padStart(43, 'A')}`),
        host,
      )
      for (const [outcome, kind, wanted] of [
        [unprotected, 'unprotected files', 200],
        [again, 'unprotected files', 200],
        [asked, 'members let in', 200],
        [leased, 'members let in', 200],
        [pages, 'pages of a session', 200],
        [strangers, 'strangers sent away', 302],
      ] as const) {
        for (const [status, many] of outcome.statuses) {
          if (status === wanted) count(found.counts, kind, many)
          else found.violations.push(`${many} of ${kind} were answered ${status}`)
        }
      }
      const rates = {
        'asked a second': [rateOf(asked)],
        'leased a second': [rateOf(leased)],
        'pages a second': [rateOf(pages)],
      }
      return {
        ...found,
        samples: {
          ...rates,
          'part of unprotected': [
            Math.round((100 * asked.rate) / Math.min(unprotected.rate, again.rate)) / 100,
          ],
          'p99 ms asked': [p99Of(asked)],
          // Elsewhere others work on the same cores.
          ...(size !== 'ci' && { 'held to a second': rates['asked a second'], 'held to ms': [p99Of(asked)] }),
        },
      }
    },
    async end() {
      await here.close()
      return undefined
    },
  }
}

const rateOf = ({ rate }: Outcome) => Math.round(rate)
const p99Of = ({ times }: Outcome) => Math.round(percentile(times, 0.99) * 10) / 10

function judged(samples: Samples): Judgement {
  const violations: string[] = []
  const middle = (name: string) => median(samples[name] ?? [0])
  const { 'held to a second': rates = [], 'held to ms': times = [] } = samples
  if (rates.length > 0 && median(rates) < FEWEST)
    violations.push(`There are ${median(rates)} checks a second.`)
  if (times.length > 0 && median(times) > LONGEST)
    violations.push(`99 of 100 checks take up to ${median(times)} ms.`)
  if (middle('part of unprotected') < LEAST_PART) violations.push('Next to nothing of the rate is left.')
  const names = ['asked a second', 'leased a second', 'pages a second', 'part of unprotected', 'p99 ms asked']
  return { figures: Object.fromEntries(names.map((name) => [name, middle(name)])), violations }
}
