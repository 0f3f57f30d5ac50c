import { hashToken, type Token } from '../domain/token.ts'
import type { Services } from '../services.ts'
import * as logins from '../store/logins.ts'
import * as sessions from '../store/sessions.ts'
import { type Caller, record } from './caller.ts'

/** Ends what the browser holds: its session and its login under way, whichever there are (L-02). */
export async function signOut(
  services: Pick<Services, 'db' | 'now' | 'newId'>,
  held: { readonly sessionToken: Token | undefined; readonly loginToken: Token | undefined },
  caller: Caller,
): Promise<void> {
  const now = services.now()
  await services.db.transaction().execute(async (tx) => {
    if (held.loginToken !== undefined) await logins.take(tx, hashToken(held.loginToken))
    const ended = held.sessionToken && (await sessions.takeByToken(tx, hashToken(held.sessionToken)))
    if (ended === undefined) return
    await record(
      services,
      tx,
      { now, by: caller, userId: ended.userId },
      { event: 'signed-out', sessionId: ended.id },
    )
  })
}
