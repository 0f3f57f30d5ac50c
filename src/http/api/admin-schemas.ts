import { z } from 'zod'
import { auditEventNames } from '../../domain/audit.ts'
import { isId } from '../../domain/id.ts'
import { userFilters } from '../../store/views/list-users.ts'
import * as schemas from './schemas.ts'

const seconds = z.int().describe('Seconds since the Unix epoch.')

const wholeNumber = (maximum: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number.')
    .transform(Number)
    .refine((value) => value <= maximum, 'is too large.')

const instant = wholeNumber(999_999_999_999).describe('Seconds since the Unix epoch.')
const limit = wholeNumber(1000)
  .refine((value) => value > 0, 'must be at least 1.')
  .default(50)
  .describe('How many at most, up to 1,000.')

export const displayName = z.string().max(512, 'is too long.')

export const groupName = z.string().max(256, 'is too long.')

/** As text, so that a form can say it as well. */
export const groupNames = z
  .string()
  .max(4096, 'is too long.')
  .transform((text) => text.split(',').filter((name) => name !== ''))
  .describe('Names of groups, separated by commas.')

/** Which users to list. */
export const usersQuery = z.strictObject({
  search: z.string().max(256, 'is too long.').optional().describe('Part of the username or display name.'),
  filter: z.enum([...userFilters, 'throttled']).optional(),
  not_seen_since: instant.optional(),
  group: groupName.optional(),
  after: z
    .string()
    .max(256, 'is too long.')
    .optional()
    .describe('The username that the part before ended with.'),
  limit,
})

/** Which events to list. */
export const auditQuery = z.strictObject({
  user: z.string().refine(isId, 'must be an id.').optional().describe('Whom it is about, by id.'),
  event: z.enum(auditEventNames).optional(),
  address: z.string().max(64, 'is too long.').optional(),
  since: instant.optional(),
  until: instant.optional(),
  after: z
    .string()
    .regex(/^\d{1,12}\.[0-9a-v]{26}$/, 'must be a cursor that an answer gave.')
    .optional()
    .describe('`next` of the part before.'),
  limit,
})

export const listedUser = z.strictObject({
  id: z.string(),
  username: z.string(),
  display_name: z.string(),
  is_superuser: z.boolean(),
  disabled: z.boolean(),
  has_password: z.boolean(),
  has_usable_device: z.boolean(),
  created_at: seconds,
  last_sign_in_at: seconds.nullable(),
})

export const shownUser = z.strictObject({
  id: z.string(),
  username: z.string(),
  display_name: z.string(),
  is_superuser: z.boolean(),
  has_second_factor: z.boolean().describe('Whether one was ever proven.'),
  created_at: seconds,
  disabled_at: seconds.nullable(),
  last_sign_in_at: seconds.nullable(),
  password_changed_at: seconds.nullable(),
  must_change_password: z.boolean(),
  invited_until: seconds.nullable(),
  reset_requested: z
    .strictObject({ by: z.string(), at: seconds, expires_at: seconds })
    .nullable()
    .describe('A reset that another administrator may carry out; `by` is an id.'),
  groups: z.array(z.string()),
  devices: z.array(schemas.device),
  enrolment_pending: z.boolean(),
  recovery_codes_left: z.int(),
  app_passwords: z.array(schemas.appPassword),
  code_windows: z.array(schemas.codeWindow),
  sessions: z.array(schemas.ownSession.omit({ current: true })),
})

export const invitationBody = z.strictObject({
  user_id: z.string(),
  invitation_link: z.string().describe('To hand over; shown this once, works once.'),
  expires_in: z.int().describe('Seconds.'),
})

export const listedEvent = z.strictObject({
  id: z.string(),
  at: seconds,
  event: z.string(),
  outcome: z.enum(['success', 'failure']),
  actor: z.strictObject({
    kind: z.enum(['user', 'anonymous', 'operator', 'system']),
    id: z.string().nullable(),
  }),
  user: z.strictObject({ id: z.string(), username: z.string().nullable() }).nullable(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
})

const day = z.strictObject({
  start: seconds.describe('Midnight in UTC.'),
  signed_in: z.int(),
  passwords_refused: z.int(),
  codes_refused: z.int(),
  throttled: z.int(),
  enrolments: z.int(),
})

export const overviewBody = z.strictObject({
  users: z.strictObject({ total: z.int(), disabled: z.int(), with_second_factor: z.int() }),
  sessions: z.int(),
  estimated: z.boolean(),
  days: z.array(day),
})
