import { newId, newToken } from '../../src/crypto/random.ts'
import type { PasswordHash } from '../../src/domain/password/hash-parameters.ts'
import type { Session } from '../../src/domain/session.ts'
import { hashToken, type TokenHash } from '../../src/domain/token.ts'
import type { UserId } from '../../src/domain/user.ts'
import type { Db } from '../../src/store/database.ts'
import type { NewOtpDevice } from '../../src/store/otp-devices.ts'
import * as sessions from '../../src/store/sessions.ts'
import * as users from '../../src/store/users.ts'

export const NOW = 1_800_000_000

/** A user that is there; the name is unlike any other. */
export async function makeUser(
  db: Db,
  username = `user-${newId()}`,
  more: { displayName?: string; isSuperuser?: boolean; now?: number } = {},
): Promise<UserId> {
  const id = newId() as UserId
  const { displayName = '', isSuperuser = false, now = NOW } = more
  const made = await users.insert(db, { id, username, displayName, isSuperuser }, now)
  if (!made) throw new Error(`${username} is taken`)
  return id
}

export const aHash = (text = newId()): PasswordHash => `$argon2id$${text}` as PasswordHash

export const aTokenHash = (): TokenHash => hashToken(newToken())

/** A phone that nothing was confirmed with yet. */
export const aDevice = (userId: UserId, more: Partial<NewOtpDevice> = {}): NewOtpDevice => ({
  id: newId(),
  userId,
  kind: 'totp',
  name: 'phone',
  sealedKey: `v1.0badcafe.${newId()}`,
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  t0: 0,
  drift: 0,
  lastUsedStep: -1,
  counter: 0,
  createdAt: NOW,
  ...more,
})

export const aSession = (
  userId: UserId,
  more: Partial<Session> = {},
): Session & { tokenHash: TokenHash } => ({
  id: newId(),
  userId,
  amr: ['pwd', 'otp'],
  authTime: NOW,
  createdAt: NOW,
  lastSeenAt: NOW,
  expiresAt: NOW + 43_200,
  address: '203.0.113.7',
  userAgent: 'test',
  tokenHash: aTokenHash(),
  ...more,
})

export async function makeSession(db: Db, userId: UserId, more: Partial<Session> = {}) {
  const session = aSession(userId, more)
  await sessions.insert(db, session)
  return session
}

/** Text of every kind that people can type and that both engines must give back as it was. */
export const everyKindOfText: readonly string[] = [
  '',
  ' ',
  'quote \' double " back \\ percent % under _ ; -- /* */ $1 ? :name',
  'tab\tline\nreturn\r\u0001\u001f\u007f\u0085',
  'ÄÖÜß ſ ı İ ς ﬁ Ǆ',
  'A\u030a Å \u212b e\u0301\u0323',
  'שלום عربى ‮rtl‬',
  '한글 ᄒ\u1161\u11ab 漢字 ひらがな 𠀋',
  '😀👩‍👩‍👧‍👦🏳️‍🌈',
  '\u{10ffff}\u{fffd}\ufeff\ufffe\ud7ff\ue000',
  '\u2028\u2029\u200b\u00ad',
  'x'.repeat(20_000),
]

/** Rows as plain objects: those of SQLite have no prototype. */
export const plain = <Row extends object>(rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row }))
