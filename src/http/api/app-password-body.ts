import type { z } from 'zod'
import type { AppPassword } from '../../domain/app-password.ts'
import type * as schemas from './schemas.ts'

/** An app password as answers show it, never its secret. */
export const shownAppPassword = (owned: AppPassword): z.input<typeof schemas.appPassword> => ({
  id: owned.id,
  name: owned.name,
  policies: [...owned.policies],
  created_at: owned.createdAt,
  expires_at: owned.expiresAt ?? null,
  last_used_at: owned.lastUsedAt ?? null,
  last_used_address: owned.lastUsedAddress ?? null,
})
