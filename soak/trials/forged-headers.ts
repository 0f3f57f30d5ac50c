import { withRawClients } from '../../test/support/raw-client.ts'
import { FORGED, type ForgedCase, forgedMixture, singleForgeries } from '../support/forged-headers.ts'
import { type ForgedWays, REFUSED, startOwnWays, startProtectedWays } from '../support/forged-ways.ts'
import type { Random } from '../support/random.ts'
import type { Trial } from '../support/trial.ts'

const CASES = 50

const honest: ForgedCase = { what: 'nothing', headers: [], mayBeRefused: false }

/** Headers by which proxies tell who asks, from where and for what, sent by whoever likes (SEC-PXY-2, SEC-API-3). */
export const forgedHeaders: Trial = {
  id: 'FT-HDR-1',
  name: 'forged-headers',
  holds:
    'Headers that a client forges, in any spelling, change no page, redirect, cookie, address or identity, here or in applications.',
  rounds: `batches of ${CASES} cases on five ways`,
  // Sixty names in eight manners first; then mixtures.
  sizes: { ci: 10, soak: 2010, release: 2010 },
  needs: ['forged requests', 'answers as without', 'refused as no requests'],
  patience: 300,
  async begin({ folder }) {
    const parts = [await startOwnWays(folder), await startProtectedWays()]
    const usual = await usualOf(parts)
    return {
      round: (number, random) => oneRound(parts, usual, { number, random }),
      async end() {
        await Promise.all(parts.map((part) => part.close()))
        return undefined
      },
    }
  },
}

type Usual = ReadonlyMap<string, readonly string[]>

async function usualOf(parts: readonly ForgedWays[]): Promise<Usual> {
  const usual = new Map<string, readonly string[]>()
  for (const way of parts.flatMap(({ ways }) => ways)) {
    await withRawClients(way.address, [honest], async (client) => {
      usual.set(way.name, await way.told(client, honest))
    })
  }
  const page = usual.get('to a program')?.[0] ?? ''
  const stranger = usual.get('to a protected place without a sign-in')?.[0] ?? ''
  if (!/REMOTE_USER=ada/.test(page) || !/^302\b/.test(stranger)) {
    throw new Error(`A member and a stranger are told apart: ${page.slice(0, 300)} ${stranger.slice(0, 300)}`)
  }
  return usual
}

async function oneRound(
  parts: readonly ForgedWays[],
  usual: Usual,
  { number, random }: { readonly number: number; readonly random: Random },
) {
  const cases = Array.from(
    { length: CASES },
    (_, index) => singleForgeries[number * CASES + index] ?? forgedMixture(random),
  )
  const counts = { 'forged requests': 0, 'answers as without': 0, 'refused as no requests': 0 }
  const violations: string[] = []
  for (const way of parts.flatMap(({ ways }) => ways)) {
    const expected = usual.get(way.name) ?? []
    await withRawClients(way.address, cases, async (client, forged) => {
      const told = await way.told(client, forged)
      for (const [index, text] of told.entries()) {
        counts['forged requests']++
        if (text === REFUSED) counts['refused as no requests']++
        else if (text === expected[index] && !FORGED.test(text)) counts['answers as without']++
        else violations.push(`${way.name}, ${forged.what}: ${differenceOf(text, expected[index] ?? '')}`)
      }
    })
  }
  for (const part of parts) violations.push(...(await part.strays()))
  return { counts, violations }
}

function differenceOf(text: string, expected: string): string {
  const lines = expected.split('\n')
  const fresh = text.split('\n').filter((line) => !lines.includes(line))
  return JSON.stringify(fresh).slice(0, 300)
}
