import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PEOPLE, usernameOf } from './people.ts'

/** As many as administrators of a large site have to look through. */
export const MANY = { people: 100_000, events: 1_000_000 }

/** Who may administer: one for each measurement, because a code works once. */
export const ADMINS = { weight: 1, lists: 3 }

/** Somebody who has no device yet. */
export const NEWCOMER = PEOPLE + 10

/** Members of the one group. */
const MEMBERS = 5000

/**
 * Adds people and a year of audit events to a prepared folder, past the program.
 *
 * One in ten has no device, one in fifty is disabled, one in four never signed in; four share an address.
 */
export function addMany(folder: string): void {
  const database = new DatabaseSync(join(folder, 'watchword.sqlite3'))
  const now = Math.floor(Date.now() / 1000)
  // Nothing has to survive but the finished file.
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY; BEGIN')
  addPeople(database, now)
  addEvents(database, now)
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

function addPeople(database: DatabaseSync, now: number): void {
  const admins = Object.values(ADMINS).map((index) => `'${usernameOf(index)}'`)
  database.exec(`
    CREATE TEMP TABLE added AS
      WITH RECURSIVE numbers(n) AS (SELECT ${PEOPLE} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MANY.people - 1})
      SELECT n, printf('%026d', n) AS id FROM numbers;
    INSERT INTO user (id, username, canonical_username, display_name, is_superuser, has_second_factor, epoch,
        created_at, disabled_at, last_sign_in_at)
      SELECT id, 'user' || n, 'user' || n, 'Person number ' || n, 0, n % 10 > 0, 1, ${now} - n * 200,
        CASE WHEN n % 50 = 0 THEN ${now} END, CASE WHEN n % 4 > 0 THEN ${now} - n * 150 END
      FROM added;
    INSERT INTO password_hash (user_id, hash, changed_at, must_change)
      SELECT added.id, known.hash, ${now}, 0 FROM added, (SELECT hash FROM password_hash LIMIT 1) known;
    INSERT INTO otp_device (id, user_id, kind, name, sealed_key, algorithm, digits, period, t0, drift,
        last_used_step, counter, created_at, confirmed_at)
      SELECT 'd' || substr(added.id, 2), added.id, 'totp', 'Phone', known.sealed_key, 'sha1', 6, 30, 0, 0,
        -1, 0, ${now}, ${now}
      FROM added, (SELECT sealed_key FROM otp_device LIMIT 1) known WHERE n % 10 > 0;
    INSERT INTO user_group (name, created_at) VALUES ('staff', ${now});
    INSERT INTO group_member (group_name, user_id) SELECT 'staff', id FROM added LIMIT ${MEMBERS};
    UPDATE user SET is_superuser = 1 WHERE canonical_username IN (${admins})`)
}

/** Everybody's events lie apart, as in a log of many people; the rare ones are one in a hundred thousand. */
function addEvents(database: DatabaseSync, now: number): void {
  database.exec(`
    CREATE TEMP TABLE people AS SELECT row_number() OVER () - 1 AS n, id FROM user;
    CREATE UNIQUE INDEX temp.people_n ON people (n);
    INSERT INTO audit_event (id, at, event, outcome, actor_kind, actor_id, user_id, address, user_agent,
        request_id, fields)
      WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MANY.events - 1})
      SELECT printf('e%025d', numbers.n), ${now} - (${MANY.events} - numbers.n) * 30,
        CASE WHEN numbers.n % 100003 = 7 THEN 'user-unlocked'
          WHEN numbers.n % 10 < 4 THEN 'signed-in' WHEN numbers.n % 10 < 8 THEN 'password-accepted'
          WHEN numbers.n % 10 = 8 THEN 'password-refused' ELSE 'code-refused' END,
        CASE WHEN numbers.n % 10 > 7 THEN 'failure' ELSE 'success' END,
        'user', people.id, people.id,
        '10.' || (people.n >> 18 & 255) || '.' || (people.n >> 10 & 255) || '.' || (people.n >> 2 & 255),
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        printf('3f0k2m9a-%x', numbers.n),
        CASE WHEN numbers.n % 100003 = 7 THEN '{}'
          WHEN numbers.n % 10 < 4 THEN '{"amr":["pwd","otp"],"sessionId":"' || printf('%026d', numbers.n) || '"}'
          WHEN numbers.n % 10 < 8 THEN '{}'
          WHEN numbers.n % 10 = 8 THEN '{"reason":"wrong-password"}' ELSE '{"reason":"wrong-code"}' END
      FROM numbers JOIN people ON people.n = numbers.n * 7919 % ${MANY.people}`)
}
