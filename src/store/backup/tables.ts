/** Rows of a table that are read at once. */
export const BATCH = 500

/** A table as it is copied: with the columns that order its rows. */
export interface CopiedTable {
  readonly name: string
  readonly key: readonly string[]
}

/** Every table, each after those that it refers to. */
export const copiedTables: readonly CopiedTable[] = [
  { name: 'installation', key: ['id'] },
  { name: 'user', key: ['id'] },
  { name: 'password_hash', key: ['user_id'] },
  { name: 'otp_device', key: ['id'] },
  { name: 'recovery_code', key: ['user_id', 'code_index'] },
  { name: 'user_group', key: ['name'] },
  { name: 'group_member', key: ['user_id', 'group_name'] },
  { name: 'login', key: ['token_hash'] },
  { name: 'session', key: ['token_hash'] },
  { name: 'invitation', key: ['token_hash'] },
  { name: 'reset_request', key: ['user_id'] },
  { name: 'known_browser', key: ['token_hash'] },
  { name: 'app_password', key: ['id'] },
  { name: 'code_window', key: ['credential_hash'] },
  { name: 'site_session', key: ['token_hash'] },
  { name: 'ticket', key: ['token_hash'] },
  { name: 'attempts', key: ['key'] },
  { name: 'signing_key', key: ['generation'] },
  { name: 'imported', key: ['source', 'kind', 'source_id'] },
  { name: 'audit_event', key: ['at', 'id'] },
]
