import type { Generated, Kysely } from 'kysely'
import type { AppSecretHash } from '../domain/app-password.ts'
import type { CredentialHash } from '../domain/code-window.ts'
import type { PasswordHash } from '../domain/password/hash-parameters.ts'
import type { TokenHash } from '../domain/token.ts'
import type { UserId } from '../domain/user.ts'

/** The schema. Times are whole Unix seconds, flags 0 or 1, identifiers text. */
export interface Database {
  installation: InstallationTable
  user: UserTable
  password_hash: PasswordHashTable
  otp_device: OtpDeviceTable
  recovery_code: RecoveryCodeTable
  user_group: UserGroupTable
  group_member: GroupMemberTable
  login: LoginTable
  session: SessionTable
  invitation: InvitationTable
  reset_request: ResetRequestTable
  known_browser: KnownBrowserTable
  app_password: AppPasswordTable
  code_window: CodeWindowTable
  site_session: SiteSessionTable
  ticket: TicketTable
  attempts: AttemptsTable
  audit_event: AuditEventTable
  signing_key: SigningKeyTable
  imported: ImportedTable
}

/** The pool or a transaction; a function that takes it does not need to know which. */
export type Db = Kysely<Database>

/** 0 or 1: SQLite has no booleans, and both engines shall hold the same. */
export type Flag = 0 | 1

/** One row: what all hosts on this database share. */
interface InstallationTable {
  id: 1
  /** Of the key file, so that another one is noticed before anything is hashed or sealed by it. */
  key_fingerprint: string
  /** When a node last took the turn to purge; 0 before the first. */
  purged_at: Generated<number>
}

interface UserTable {
  id: UserId
  username: string
  canonical_username: string
  display_name: string
  is_superuser: Flag
  has_second_factor: Flag
  epoch: number
  created_at: number
  disabled_at: number | null
  last_sign_in_at: number | null
}

interface PasswordHashTable {
  user_id: UserId
  hash: PasswordHash
  changed_at: number
  must_change: Flag
}

interface OtpDeviceTable {
  id: string
  user_id: UserId
  kind: 'totp' | 'hotp'
  name: string
  sealed_key: string
  algorithm: 'sha1' | 'sha256' | 'sha512'
  digits: 6 | 8
  period: number
  t0: number
  drift: number
  last_used_step: number
  counter: number
  created_at: number
  confirmed_at: number | null
  /** When an enrolment that nobody confirmed ends; null once confirmed. */
  expires_at: number | null
  disabled_at: number | null
  last_used_at: number | null
  /** Token hash of the login, or id of the session, that began an enrolment; null for those of the operator. */
  begun_by: string | null
}

interface RecoveryCodeTable {
  user_id: UserId
  /** 0 to 9 for our own codes; from 10 on for those that were imported, which carry no number. */
  code_index: number
  /** Of an imported code a keyed hash, `hmac$…`. */
  hash: PasswordHash
  created_at: number
  /** Null for the user's own codes; those handed out by the operator end. */
  expires_at: number | null
}

interface UserGroupTable {
  name: string
  created_at: number
}

interface GroupMemberTable {
  group_name: string
  user_id: UserId
}

interface LoginTable {
  token_hash: TokenHash
  user_id: UserId
  amr: string
  epoch: number
  created_at: number
  expires_at: number
}

interface SessionTable {
  id: string
  token_hash: TokenHash
  user_id: UserId
  amr: string
  auth_time: number
  created_at: number
  last_seen_at: number
  expires_at: number
  address: string
  user_agent: string
  /** When it was used for administration last; 0 for never. */
  admin_seen_at: number
}

interface InvitationTable {
  token_hash: TokenHash
  purpose: 'setup' | 'invite'
  /** Whose password is to be chosen; null for the setup of the first user. */
  user_id: UserId | null
  created_at: number
  expires_at: number
}

interface ResetRequestTable {
  /** Whose second factor is to be reset. */
  user_id: UserId
  requested_by: UserId
  requested_at: number
  expires_at: number
}

interface KnownBrowserTable {
  token_hash: TokenHash
  user_id: UserId
  created_at: number
  last_used_at: number
  expires_at: number
}

interface AppPasswordTable {
  id: string
  user_id: UserId
  secret_hash: AppSecretHash
  name: string
  /** Names of access policies, separated by spaces. */
  policies: string
  created_at: number
  /** Null for one without an end. */
  expires_at: number | null
  last_used_at: number | null
  last_used_address: string | null
}

interface CodeWindowTable {
  id: string
  user_id: UserId
  credential_hash: CredentialHash
  policy: string
  host: string
  address: string
  epoch: number
  created_at: number
  expires_at: number
  /** Null for one that nobody ended. */
  ended_at: number | null
  last_used_at: number
}

interface SiteSessionTable {
  token_hash: TokenHash
  session_id: string
  /** The origin of the protected host whose cookie it is. */
  host: string
  created_at: number
}

interface TicketTable {
  token_hash: TokenHash
  session_id: string
  /** The origin of the protected host that may take it. */
  host: string
  /** Of the token of the browser that waits there. */
  state_hash: TokenHash
  created_at: number
  expires_at: number
}

interface SigningKeyTable {
  generation: number
  id: string
  /** JSON of the public half. */
  public_key: string
  sealed_key: string
  created_at: number
  used_from: number
}

interface AttemptsTable {
  key: string
  count: number
  since: number
  blocked_until: number
}

interface ImportedTable {
  /** Which program or file it came from. */
  source: string
  kind: 'user' | 'device'
  /** What it is called there. */
  source_id: string
  /** The user or device that was made of it; kept when that is deleted, so that it does not come back. */
  target_id: string
  /** Keyed hash of the password's hash as it was there; empty for none, and for devices. */
  password_mark: string
}

interface AuditEventTable {
  id: string
  at: number
  event: string
  outcome: 'success' | 'failure'
  actor_kind: 'user' | 'anonymous' | 'operator' | 'system'
  actor_id: string | null
  user_id: string | null
  address: string | null
  user_agent: string | null
  request_id: string | null
  fields: string
}
