import type { UserId } from '../../src/domain/user.ts'
import type { Services } from '../../src/services.ts'
import type { Hit } from './volley.ts'

/** How often each answer came. */
export function kindsOf(hits: readonly Pick<Hit, 'said'>[]): Record<string, number> {
  return tally(hits.map(({ said }) => said))
}

/** By which ways, and how often each. */
export function waysOf(hits: readonly Pick<Hit, 'way'>[]): string {
  return Object.entries(tally(hits.map(({ way }) => way)))
    .map(([way, count]) => `${count} by ${way}`)
    .join(', ')
}

/** What the audit log tells of a user: how often each event, and each reason of a refused code. */
export async function eventsOf({ db }: Pick<Services, 'db'>, id: UserId) {
  const rows = await db
    .selectFrom('audit_event')
    .select(['event', 'fields'])
    .where('user_id', '=', id)
    .execute()
  const reasons = rows
    .map(({ fields }) => (JSON.parse(fields) as { readonly reason?: string }).reason)
    .filter((reason) => reason !== undefined)
  return { events: tally(rows.map(({ event }) => event)), reasons: tally(reasons) }
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
