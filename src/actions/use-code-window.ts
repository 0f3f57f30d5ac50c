import type { AccessPolicy } from '../domain/access.ts'
import { isUseStale, USE_INTERVAL } from '../domain/app-password.ts'
import {
  type CodeWindow,
  type CodeWindowRefusal,
  type CredentialHash,
  codeWindowRefusal,
} from '../domain/code-window.ts'
import type { SessionUser } from '../domain/session.ts'
import type { UnixSeconds } from '../domain/time.ts'
import { normalizeUsername } from '../domain/user.ts'
import type { Services } from '../services.ts'
import * as codeWindows from '../store/code-windows.ts'
import type { Caller } from './caller.ts'
import { type OpenCodeWindowOutcome, openCodeWindowOnce } from './open-code-window.ts'
import { recordRefusal } from './record-refusal.ts'

/** What a program sent by Basic (RFC 7617), and the policy that it is to open. */
export interface PasswordCode {
  readonly username: string
  /** The password with the code right behind it, without anything between them. */
  readonly credential: string
  readonly policy: AccessPolicy
  /** The origin of the host. */
  readonly host: string
  readonly caller: Caller
}

export type UseCodeWindowOutcome =
  | {
      readonly kind: 'allowed'
      readonly user: SessionUser
      readonly groups: readonly string[]
      readonly window: Pick<CodeWindow, 'id' | 'createdAt'>
    }
  /** One answer for the program; the reason is for counting alone. */
  | {
      readonly kind: 'refused'
      readonly reason: CodeWindowRefusal | Exclude<OpenCodeWindowOutcome['kind'], 'busy' | 'opened'>
    }
  /** Come again: nothing was looked at. */
  | { readonly kind: 'busy' }

type Needed = Pick<Services, 'db' | 'now' | 'newId' | 'hasher' | 'sealer' | 'policy'>

/**
 * Whether a password and code in one field open a policy, which must take them; whether it lets this user in is for it to say.
 *
 * The first request is a sign-in that spends the code; those that follow cost one look-up while the window lasts. What
 * opened a window once is remembered beyond its end and refused at the same price, wherever it comes from: a program that
 * goes on sending it is charged nothing, and so cannot lock its owner out.
 */
export async function useCodeWindow(services: Needed, asked: PasswordCode): Promise<UseCodeWindowOutcome> {
  const { username, credential, policy, host, caller } = asked
  const shown = JSON.stringify([normalizeUsername(username), credential])
  // Keyed, because a password with six digits behind it can be guessed.
  const credentialHash = services.sealer.keyedHash('code-window', shown) as CredentialHash
  const known = await codeWindows.findByCredential(services.db, credentialHash)
  if (known !== undefined) return judge(services, known, asked)
  const opening = await openCodeWindowOnce(services, {
    ...{ username, credential, credentialHash, policy, host, caller },
  })
  if (opening.kind === 'busy') return opening
  // Also whoever lost the code to a request of the same moment, in another process, finds what that one opened.
  const opened = await codeWindows.findByCredential(services.db, credentialHash)
  if (opened !== undefined) return judge(services, opened, asked)
  return { kind: 'refused', reason: opening.kind === 'opened' ? 'ended' : opening.kind }
}

async function judge(
  services: Needed,
  { window, user, groups }: codeWindows.CodeWindowWithUser,
  { policy, caller }: PasswordCode,
): Promise<UseCodeWindowOutcome> {
  const now: UnixSeconds = services.now()
  const { address } = caller
  const about = { isDisabled: user.disabled, epoch: user.epoch, policy, address }
  const reason = codeWindowRefusal(window, about, now)
  if (reason !== undefined) {
    const { id: codeWindowId, userId } = window
    const told = { event: 'code-window-refused', codeWindowId, policy: policy.name, reason } as const
    await recordRefusal(services, told, { userId, by: caller, now })
    return { kind: 'refused', reason }
  }
  if (isUseStale(window, now)) {
    await codeWindows.touch(services.db, window.id, { now, before: now - USE_INTERVAL })
  }
  const { id, createdAt } = window
  return { kind: 'allowed', user, groups, window: { id, createdAt } }
}
