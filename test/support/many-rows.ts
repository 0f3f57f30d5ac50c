/** How many rows to make. */
export interface Size {
  readonly people: number
  readonly events: number
}

/** What differs between the engines in the making of rows from numbers. */
interface Dialect {
  /** Rows `n` from 0 on. */
  numbers(count: number): string
  /** A number as so many digits. */
  digits(expression: string, width: number): string
  /** Twelve characters that no order follows. */
  chance(expression: string): string
  /** 43 characters that no order follows. */
  token(expression: string): string
  /** The number as one that does not overflow when it is multiplied. */
  readonly wide: string
}

/** How long ago the first event was, in seconds. */
export const YEAR = 31_000_000

const postgres: Dialect = {
  numbers: (count) => `generate_series(0, ${count - 1}) as numbers(n)`,
  digits: (expression, width) => `lpad((${expression})::text, ${width}, '0')`,
  chance: (expression) => `substr(md5((${expression})::text), 1, 12)`,
  token: (expression) => `substr(md5('a' || (${expression})) || md5('b' || (${expression})), 1, 43)`,
  wide: 'n::bigint',
}

const sqlite: Dialect = {
  numbers: (count) =>
    `(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1}) SELECT n FROM numbers)`,
  digits: (expression, width) => `printf('%0${width}d', ${expression})`,
  // Another mixture than MD5, and as good for this: a multiplication modulo a prime.
  chance: (expression) => `substr(printf('%013x', (${expression}) * 2654435761 % 4503599627370449), 2)`,
  token: (expression) =>
    `substr(printf('%013x%013x%013x%013x', ((${expression}) + 1) * 2654435761 % 4503599627370449, ((${expression}) + 3) * 40503 % 4503599627370449, ${expression}, ${expression}), 1, 43)`,
  wide: 'n',
}

const dialects = { postgres, sqlite }

/**
 * People with a device each, sessions of one in five, known browsers of one in two, and a year of events that ends now.
 *
 * The first is a superuser, one in ten has no device, one in fifty is disabled, one in five hundred is in the group, four share an address.
 */
export function rowsOf(
  engine: 'postgres' | 'sqlite',
  { people, events }: Size,
  { hash, now }: { readonly hash: string; readonly now: number },
): string[] {
  const { numbers, digits, chance, token, wide } = dialects[engine]
  const id = (n: string) => `${digits(n, 14)} || ${chance(n)}`
  // A prime: neighbours in time are not neighbours in any index.
  const somebody = `(${wide} * 7919 % ${people})`
  const address = `'10.' || (${somebody} >> 18 & 255) || '.' || (${somebody} >> 10 & 255) || '.' || (${somebody} >> 2 & 255)`
  return [
    `INSERT INTO "user" (id, username, canonical_username, display_name, is_superuser, has_second_factor, epoch,
        created_at, disabled_at, last_sign_in_at)
      SELECT ${id('n')}, 'user' || n, 'user' || n, 'Person number ' || n, CASE WHEN n = 0 THEN 1 ELSE 0 END, 1, 1,
        ${now} - n % 30000000, CASE WHEN n % 50 = 49 THEN ${now} END, CASE WHEN n % 4 > 0 THEN ${now} - n % 30000000 END
      FROM ${numbers(people)}`,
    `INSERT INTO password_hash (user_id, hash, changed_at, must_change)
      SELECT ${id('n')}, '${hash}', ${now}, 0 FROM ${numbers(people)}`,
    `INSERT INTO otp_device (id, user_id, kind, name, sealed_key, algorithm, digits, period, t0, drift,
        last_used_step, counter, created_at, confirmed_at)
      SELECT ${id('n')}, ${id('n')}, 'totp', 'Phone',
        'v1.0000000000000000.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'sha1', 6, 30, 0, 0,
        -1, 0, ${now}, ${now}
      FROM ${numbers(people)} WHERE n % 10 <> 9`,
    `INSERT INTO session (token_hash, id, user_id, amr, auth_time, created_at, last_seen_at, expires_at, address,
        user_agent, admin_seen_at)
      SELECT ${token('n')}, 's' || ${digits('n', 25)}, ${id('n')}, 'pwd otp', ${now}, ${now}, ${now} - n % 1800,
        ${now} + 43200 - n % 43200, ${address}, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0
      FROM ${numbers(people)} WHERE n % 5 = 0`,
    `INSERT INTO known_browser (token_hash, user_id, created_at, last_used_at, expires_at)
      SELECT ${token('n + 100000000')}, ${id('n')}, ${now}, ${now}, ${now} + 86400 * (1 + n % 300)
      FROM ${numbers(people)} WHERE n % 2 = 0`,
    `INSERT INTO attempts (key, count, since, blocked_until)
      SELECT 'password:' || ${id('n')}, 1, ${now} - n % 86400, 0 FROM ${numbers(people)} WHERE n % 20 = 0`,
    `INSERT INTO user_group (name, created_at) VALUES ('staff', ${now})`,
    `INSERT INTO group_member (group_name, user_id) SELECT 'staff', ${id('n')} FROM ${numbers(people)} WHERE n % 500 = 0`,
    `INSERT INTO audit_event (id, at, event, outcome, actor_kind, actor_id, user_id, address, user_agent,
        request_id, fields)
      SELECT ${digits('n', 14)} || ${chance('n')}, ${now} - ${YEAR} + ${wide} * ${YEAR} / ${events},
        CASE WHEN n % 100003 = 7 THEN 'user-unlocked'
          WHEN n % 10 < 4 THEN 'signed-in' WHEN n % 10 < 8 THEN 'password-accepted'
          WHEN n % 10 = 8 THEN 'password-refused' ELSE 'code-refused' END,
        CASE WHEN n % 10 > 7 THEN 'failure' ELSE 'success' END,
        'user', ${id(somebody)}, ${id(somebody)}, ${address},
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '3f0k2m9a-' || n,
        CASE WHEN n % 10 < 4 THEN '{"amr":["pwd","otp"],"sessionId":"' || ${digits('n', 26)} || '"}'
          WHEN n % 10 < 8 THEN '{}'
          WHEN n % 10 = 8 THEN '{"reason":"wrong-password"}' ELSE '{"reason":"wrong-code"}' END
      FROM ${numbers(events)}`,
  ]
}
