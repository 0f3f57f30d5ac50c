import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { type ImportInput, type ImportLine, importUsers } from '../../src/actions/import-users.ts'
import { type ImportRecord, type ImportRules, prepareRecord } from '../../src/domain/import-record.ts'
import { closeEngines, type Engine, postgres, sqlite, stageFor } from './engines.ts'

const rules = { superusers: false, shortKeys: false, enrolAnew: false, groupNames: new Map<string, string>() }

const person = (username: string, more: Partial<ImportRecord> = {}): ImportRecord => ({
  sourceId: username,
  username,
  displayName: '',
  isSuperuser: false,
  isDisabled: false,
  createdAt: undefined,
  lastSignInAt: undefined,
  passwordHash: `pbkdf2_sha1$1$s$${Buffer.alloc(20).toString('base64')}`,
  isPin: false,
  groups: [],
  devices: [],
  codes: [],
  notes: [],
  ...more,
})

const phone = (sourceId: string, more: object = {}) => ({
  kind: 'totp' as const,
  sourceId,
  name: 'phone',
  key: Buffer.alloc(20, 7),
  algorithm: 'sha1' as const,
  digits: 6,
  period: 30,
  t0: 0,
  drift: 0,
  lastUsedStep: -1,
  counter: 0,
  lastUsedAt: undefined,
  ...more,
})

function importing(engine: Engine) {
  describe(`an import on ${engine.name}`, () => {
    const stage = stageFor(engine)
    after(closeEngines)

    async function run(records: ImportInput['records'], more: Partial<ImportInput> = {}) {
      const lines: ImportLine[] = []
      const summary = await importUsers(
        stage().services,
        { source: 'test', records, rules, update: false, dryRun: false, ...more },
        { operator: 'test' },
        (line) => {
          lines.push(line)
        },
      )
      return { summary, lines }
    }
    const usernames = async () =>
      (await stage().services.db.selectFrom('user').select('username').orderBy('username').execute()).map(
        ({ username }) => username,
      )

    it('makes everybody or nobody, whatever happens on the way (SEC-DB-5)', async () => {
      async function* broken() {
        for (let n = 0; n < 700; n++) yield person(`broken${n}`, { groups: ['broken'] })
        throw new Error('the source broke off')
      }
      await assert.rejects(run(broken()), /broke off/)
      assert.deepEqual(await usernames(), [])
      const groups = await stage().services.db.selectFrom('user_group').select('name').execute()
      assert.deepEqual(groups, [])
    })

    it('takes people over with what they have, and knows them again', async () => {
      const people = Array.from({ length: 600 }, (_, n) =>
        person(`p${n}`, {
          groups: ['staff', `team-${n % 3}`],
          devices: [phone('a'), { ...phone('b'), kind: 'hotp' as const, counter: n }],
          codes: ['abcd2345', 'ABCD-2345', 'efgh2345'],
        }),
      )
      const dry = await run(people, { dryRun: true })
      assert.deepEqual(await usernames(), [])
      const { summary } = await run(people)
      assert.deepEqual(summary, dry.summary)
      assert.deepEqual([summary.made, summary.groupsMade], [600, 4])
      assert.equal((await usernames()).length, 600)
      assert.equal((await run(people)).summary.unchanged, 600)
      const again = await run(people, { update: true })
      assert.deepEqual([again.summary.unchanged, again.summary.changed], [600, 0])
      const devices = await stage().services.db.selectFrom('otp_device').select('id').execute()
      assert.equal(devices.length, 1200)
      const codes = await stage().services.db.selectFrom('recovery_code').select('hash').execute()
      assert.equal(codes.length, 1200)
    })

    it('gives a name to nobody twice and takes none from whoever has it', async () => {
      await stage().world.user('own')
      const { lines } = await run([
        person('Own'),
        person('twin'),
        person('TWIN', { sourceId: 'other' }),
        person('other', { sourceId: 'twin' }),
        person('', { sourceId: 'empty' }),
      ])
      const [own, twin, second, sameId, empty] = lines
      assert.deepEqual(
        [own?.action, own?.notes[0]],
        ['left-out', 'the name is taken here by somebody who was not imported from this source'],
      )
      assert.equal(twin?.action, 'made')
      assert.equal(second?.notes[0], 'the name is that of "twin" in another spelling')
      assert.equal(sameId?.notes[0], 'the source has this one twice')
      assert.equal(empty?.action, 'left-out')
      const update = await run([person('own')], { update: true })
      assert.equal(update.lines[0]?.action, 'left-out')
    })

    it('keeps two sources of one kind apart', async () => {
      await run([person('one', { sourceId: '1' })], { source: 'django:a' })
      const { lines } = await run([person('two', { sourceId: '1' })], { source: 'django:b' })
      assert.equal(lines[0]?.action, 'made')
    })

    it('brings used codes forward and never back', async () => {
      const at = (lastUsedStep: number, counter: number) =>
        person('steps', {
          devices: [phone('t', { lastUsedStep }), { ...phone('h', { counter }), kind: 'hotp' as const }],
        })
      const marks = async () => {
        const { id } = await stage()
          .services.db.selectFrom('user')
          .select('id')
          .where('username', '=', 'steps')
          .executeTakeFirstOrThrow()
        const rows = await stage()
          .services.db.selectFrom('otp_device')
          .select(['last_used_step', 'counter'])
          .where('user_id', '=', id)
          .orderBy('kind', 'desc')
          .execute()
        return [rows[0]?.last_used_step, rows[1]?.counter]
      }
      await run([at(50, 5)])
      assert.deepEqual(await marks(), [50, 5])
      const back = await run([at(40, 4)], { update: true })
      assert.equal(back.lines[0]?.action, 'unchanged')
      assert.deepEqual(await marks(), [50, 5])
      await run([at(60, 6)], { update: true })
      assert.deepEqual(await marks(), [60, 6])
    })

    it('spends the one-time codes that were spent at the source since (SEC-REC-3)', async () => {
      const having = (...codes: string[]) => [person('codes', { codes })]
      const left = async () => {
        const rows = await stage()
          .services.db.selectFrom('recovery_code')
          .innerJoin('user', 'user.id', 'recovery_code.user_id')
          .select('hash')
          .where('username', '=', 'codes')
          .execute()
        return rows.length
      }
      await run(having('abcd2345', 'efgh2345', 'ijkl2345'))
      const dry = await run(having('efgh2345', 'mnop2345'), { update: true, dryRun: true })
      assert.deepEqual(dry.lines[0]?.details, ['2 one-time codes are used up'])
      assert.equal(await left(), 3)
      const { lines } = await run(having('efgh2345', 'mnop2345'), { update: true })
      assert.deepEqual(lines, dry.lines)
      assert.equal(await left(), 1)
      assert.equal((await run(having('efgh2345'), { update: true })).lines[0]?.action, 'unchanged')
    })

    it('names whoever lost the password there and keeps it here', async () => {
      await run([person('unusable')])
      const { lines } = await run([person('unusable', { passwordHash: undefined })], { update: true })
      assert.equal(lines[0]?.action, 'unchanged')
      assert.match(lines[0]?.notes.join() ?? '', /no password there any more.*user disable unusable/)
    })

    it('is in the audit log, for each and as a whole', async () => {
      const before = (await stage().world.audit()).length
      await run([person('logged'), person('with space')])
      const events = (await stage().world.audit()).slice(before)
      assert.deepEqual(events.map(({ event, fields }) => [event, fields]).toSorted(), [
        ['import-done', { source: 'test', made: 1, changed: 0, leftOut: 1 }],
        ['user-imported', { source: 'test', change: 'made', isSuperuser: false }],
      ])
    })
  })
}

importing(sqlite)
importing(postgres)

describe('what can be taken over', () => {
  const prepare = (more: Partial<ImportRecord>, moreRules: Partial<ImportRules> = {}) => {
    const prepared = prepareRecord(person('anna', more), { ...rules, maximumDevices: 3, ...moreRules })
    return prepared.kind === 'suitable' ? prepared : assert.fail(prepared.because)
  }

  it('leaves out keys that are too weak, unless it is told to take short ones (SEC-OTP-1)', () => {
    const short = { devices: [phone('a', { key: Buffer.alloc(10) })] }
    assert.match(prepare(short).notes.join(), /80 bits; see --short-keys/)
    assert.equal(prepare(short, { shortKeys: true }).devices.length, 1)
    const weak = { devices: [phone('a', { key: Buffer.alloc(9) })] }
    assert.equal(prepare(weak, { shortKeys: true }).devices.length, 0)
  })

  it('never lets a lost authenticator become a way in by the password alone (SEC-AUTH-4)', () => {
    const lost = { devices: [{ kind: 'unreadable' as const, sourceId: 'a', because: 'its key is cut' }] }
    assert.equal(prepare(lost).hasSecondFactor, true)
    assert.match(prepare(lost).notes.join(), /reset-second-factor anna/)
    assert.equal(prepare(lost, { enrolAnew: true }).hasSecondFactor, false)
    assert.equal(prepare({ codes: ['123456'] }).hasSecondFactor, true)
    assert.equal(prepare({}).hasSecondFactor, false)
  })

  it('holds a learnt drift to what is ever accepted (SEC-OTP-12)', () => {
    assert.equal(prepare({ devices: [phone('a', { drift: 400 })] }).devices[0]?.drift, 2)
    assert.equal(prepare({ devices: [phone('a', { drift: Number.NaN })] }).devices[0]?.drift, 0)
  })

  it('makes superusers only where it is told to', () => {
    assert.equal(prepare({ isSuperuser: true }).isSuperuser, false)
    assert.equal(prepare({ isSuperuser: true }, { superusers: true }).isSuperuser, true)
  })

  it('is decided without a fault for every record that a source can give (FT-FUZZ-5)', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    const number = fc.oneof(fc.double(), fc.integer())
    const device = fc.record({
      kind: fc.constantFrom('totp' as const, 'hotp' as const),
      sourceId: text,
      name: text,
      key: fc.uint8Array({ maxLength: 200 }),
      algorithm: fc.constantFrom('sha1' as const, 'sha512' as const),
      ...{ digits: number, period: number, t0: number, drift: number, lastUsedStep: number, counter: number },
      lastUsedAt: fc.constant(undefined),
    })
    fc.assert(
      fc.property(
        ...([text, text, fc.array(text), fc.array(text), fc.array(device), text] as const),
        (username, displayName, groups, codes, devices, passwordHash) => {
          const record = person('x', { username, displayName, groups, codes, devices, passwordHash })
          const prepared = prepareRecord(record, { ...rules, maximumDevices: 5 })
          if (prepared.kind === 'left-out') return
          assert.ok(prepared.devices.every(({ key, period }) => key.length >= 16 && period >= 10))
          assert.ok(prepared.codes.every((code) => /^[0-9a-z]{8,16}$/.test(code)))
          assert.ok(prepared.groups.every((group) => /^[a-z0-9._-]+$/.test(group)))
          assert.ok(prepared.hasSecondFactor || (devices.length === 0 && codes.length === 0))
        },
      ),
      { numRuns: 2000 },
    )
  })
})
