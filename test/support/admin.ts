import assert from 'node:assert/strict'
import type { Browser, Enrolled, Reply, World } from '../world.ts'
import { fillIn, locationOf } from './forms.ts'

/** A superuser who has just proved both factors. */
export function makeAdmin(world: World, username = 'ada'): Promise<Enrolled> {
  return world.enrolled(username, { isSuperuser: true })
}

/** Opens a page that has to be there. */
export async function open(browser: Browser, path: string): Promise<Reply> {
  const page = await browser.get(path)
  assert.equal(page.status, 200, `${path}: ${page.status} ${locationOf(page)}`)
  return page
}

/** Sends a form of a page, which has to lead to an address. */
export async function change(
  browser: Browser,
  page: string,
  action: string,
  { fields = {}, to }: { readonly fields?: Readonly<Record<string, string>>; readonly to: string },
): Promise<void> {
  const answer = await fillIn(browser, page, action, fields)
  assert.deepEqual([answer.status, locationOf(answer)], [303, to])
}

/** Who did what to whom, of one event, the oldest first. */
export async function recorded(world: World, event: string) {
  const rows = await world.services.db
    .selectFrom('audit_event')
    .select(['actor_kind', 'actor_id', 'user_id'])
    .where('event', '=', event)
    .orderBy('id')
    .execute()
  return rows.map(({ actor_kind, actor_id, user_id }) => ({ kind: actor_kind, by: actor_id, user: user_id }))
}
