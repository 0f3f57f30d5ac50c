import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import type { ImportRecord, SourceDevice, SourceRecord } from '../../src/domain/import-record.ts'
import { otpauthUri } from '../../src/domain/otp/otpauth-uri.ts'
import { readCsv } from '../../src/sources/csv.ts'
import { readHtpasswd } from '../../src/sources/htpasswd.ts'
import { readModAuthnOtp } from '../../src/sources/mod-authn-otp.ts'
import { readOtpauthUris } from '../../src/sources/otpauth-uris.ts'
import { SourceError } from '../../src/sources/source-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'ww-files-'))
after(() => rmSync(folder, { recursive: true }))

type Reader = (file: string) => AsyncGenerator<SourceRecord>

const modAuthnOtp: Reader = (file) => readModAuthnOtp(file, { pins: false })

async function read(reader: Reader, content: string | Buffer): Promise<SourceRecord[]> {
  const file = join(folder, 'file')
  writeFileSync(file, content)
  return Array.fromAsync(reader(file))
}

const because = (record: SourceRecord | undefined) =>
  record?.kind === 'unreadable' ? record.because : undefined

function personOf(record: SourceRecord | undefined): ImportRecord {
  return record === undefined || record.kind === 'unreadable' ? assert.fail(because(record)) : record
}

function deviceOf(record: SourceRecord | undefined): Exclude<SourceDevice, { kind: 'unreadable' }> {
  const device = personOf(record).devices[0]
  return device === undefined || device.kind === 'unreadable' ? assert.fail(device?.because) : device
}

const key = '8a2d55707a9084982649dadc04b426a06df19ab2'

describe('the users file of mod_authn_otp', () => {
  it('is read in the forms that its program documents', async () => {
    const records = await read(
      modAuthnOtp,
      `# Fields are whitespace-separated.

HOTP     barney 1234 ${key} 21 0 820658 2009-06-12T17:52:32L 192.168.1.1
HOTP/T   joe    +    ${key} -2 2 883913 2009-06-04T21:17:03L 10.1.1.153
HOTP/E/8 wilma  -    ${key}
HOTP/T60 betty  -    ${key}
T old           -    ${key} 1
MOTP     fred   5678 ${key}
HOTP     cut
HOTP     odd    -    nothex
`,
    )
    const [barney, joe, wilma, betty, old, fred, cut, odd] = records
    assert.deepEqual([deviceOf(barney).kind, deviceOf(barney).counter], ['hotp', 21])
    assert.match(personOf(barney).notes.join(), /PIN left out/)
    assert.deepEqual([deviceOf(joe).kind, deviceOf(joe).drift, deviceOf(joe).period], ['totp', -2, 30])
    assert.match(personOf(joe).notes.join(), /in another file/)
    assert.deepEqual([deviceOf(wilma).kind, deviceOf(wilma).digits, deviceOf(wilma).counter], ['hotp', 8, 0])
    assert.deepEqual([deviceOf(betty).period, personOf(betty).notes.length], [60, 0])
    assert.deepEqual([deviceOf(old).kind, deviceOf(old).drift], ['totp', 1])
    assert.equal(personOf(fred).devices[0]?.kind, 'unreadable')
    assert.match(because(cut) ?? '', /fewer than four fields/)
    assert.equal(personOf(odd).devices[0]?.kind, 'unreadable')
  })

  it('tells the time step of the last code by the code itself (SEC-OTP-2)', async () => {
    const at = Date.UTC(2026, 5, 4, 21, 17, 3) / 1000
    const code = execFileSync('oathtool', ['--totp', '--now', `@${at - 60}`, key], {
      encoding: 'utf8',
    }).trim()
    const line = (zone: string) =>
      `HOTP/T30 joe - ${key} -2 0 ${code} 2026-06-04T21:17:03${zone} 10.1.1.153\n`
    const [utc] = await read(modAuthnOtp, line('Z'))
    assert.equal(deviceOf(utc).lastUsedStep, Math.floor(at / 30) - 2)
    const [none] = await read(modAuthnOtp, line('Z').replace(code, '000000'))
    assert.equal(deviceOf(none).lastUsedStep, -1)
  })

  it('is read as the module wrote it, in the zone of Berlin (SEC-OTP-2)', async () => {
    const zone = process.env.TZ
    // Source of the module at 6f2ffb3, shortly before its 1.1.7, under Apache 2.4.71.
    const written = `HOTP    hanna         4711    82030a32033148ac0d99ffdbf788b7cc4a8a0172 4   0  690606  2026-11-23T22:10:28L 127.0.0.1
HOTP/T30 tom           9182    79c82e47368a7c34e2ef77451b2903b40c82b555 0   0  257523  2026-11-23T22:10:28L 127.0.0.1
HOTP/T30/8 acht          2468    e385d7d777632e096640890fb212f5cf9b511014 0   1  33382924 2026-11-23T22:10:28L 127.0.0.1
MOTP    mobil         1234    724c16fe2754258f13c72d37ede4ef9e61c30cc3 0   0  7d4f4b  2026-11-23T22:10:28L 127.0.0.1
HOTP/T30 alt           5150    ec75152842977ea9da32a67d9c28993397f33228 -2  0  398471  2026-11-23T22:10:28L 127.0.0.1
hotp/T30 kleinneu - 5b00464b893fc8331759497e202a3d92e8a3988b
HOTP/T30 falsch        -       36e18c7c5a8e17f4a4972343e2ea0baa56dd787f 0   2 
HOTP    digest        8642    1ee03133b1c8980d7e61d5353e93af35664a14ee 6   0  527889  2026-11-23T22:10:28L 
HOTP/T30 weg           -       14fffe3c80fd2cca9c992d7b42c9c40d1859e0c3 0   0 
`
    try {
      process.env.TZ = 'Europe/Berlin'
      const records = await read(modAuthnOtp, written)
      const [hanna, tom, acht, mobil, alt, kleinneu, falsch, digest, weg] = records
      const step = Math.floor(Date.UTC(2026, 10, 23, 21, 10, 28) / 1000 / 30)
      assert.deepEqual([deviceOf(hanna).kind, deviceOf(hanna).counter], ['hotp', 4])
      assert.deepEqual([deviceOf(tom).lastUsedStep, deviceOf(tom).digits], [step, 6])
      assert.deepEqual([deviceOf(acht).lastUsedStep, deviceOf(acht).digits], [step, 8])
      assert.deepEqual([deviceOf(alt).lastUsedStep, deviceOf(alt).drift], [step - 2, -2])
      assert.deepEqual(personOf(mobil).devices[0]?.kind, 'unreadable')
      assert.deepEqual([deviceOf(kleinneu).kind, deviceOf(kleinneu).period], ['totp', 30])
      // Wrong codes alone, a digest sign-in without an address, and a sign-out that forgets the code.
      assert.deepEqual([deviceOf(falsch).lastUsedStep, personOf(falsch).notes.length], [-1, 0])
      assert.deepEqual([deviceOf(digest).kind, deviceOf(digest).counter], ['hotp', 6])
      assert.deepEqual([deviceOf(weg).lastUsedStep, personOf(weg).notes.length], [-1, 0])

      process.env.TZ = 'UTC'
      const elsewhere = (await read(modAuthnOtp, written))[1]
      assert.equal(deviceOf(elsewhere).lastUsedStep, -1)
      assert.match(personOf(elsewhere).notes.join(), /set TZ to the time zone of that Apache/)
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })
})

describe('key URIs of Authelia', () => {
  it('are read with their parameters, and the account is the username', async () => {
    const uri = otpauthUri({
      kind: 'totp',
      issuer: 'auth.example.com',
      account: 'john',
      key: Buffer.from(key, 'hex'),
      algorithm: 'sha256',
      digits: 8,
      period: 60,
    })
    const [john, broken] = await read(readOtpauthUris, `${uri}\r\n\r\notpauth://totp/x?secret=1\n`)
    assert.equal(personOf(john).username, 'john')
    const { algorithm, digits, period } = deviceOf(john)
    assert.deepEqual([algorithm, digits, period], ['sha256', 8, 60])
    assert.equal(because(broken), 'the line is no otpauth URI')
  })

  it('are read from its CSV as well', async () => {
    const [john] = await read(
      readCsv,
      'issuer,username,algorithm,digits,period,secret\nAuthelia,john,SHA512,6,30,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n',
    )
    assert.deepEqual([personOf(john).username, deviceOf(john).algorithm], ['john', 'sha512'])
  })
})

describe('comma-separated values', () => {
  it('are read by their header, with quotes', async () => {
    const [anna, bert, cut, open] = await read(
      readCsv,
      'username,"display_name",groups,disabled,superuser,password_hash\r\n' +
        'anna,"Müller, ""Änna""",staff; wiki,no,yes,"$2y$05$x"\r\n' +
        'bert,,,perhaps,,\r\n' +
        'cut,x\r\n' +
        'open,"x,,,,\r\n',
    )
    const { displayName, groups, isDisabled, isSuperuser, passwordHash } = personOf(anna)
    assert.deepEqual(
      [displayName, groups, isDisabled, isSuperuser, passwordHash],
      ['Müller, "Änna"', ['staff', 'wiki'], false, true, '$2y$05$x'],
    )
    // Whatever is not said to be enabled stays out.
    assert.deepEqual([personOf(bert).isDisabled, personOf(bert).passwordHash], [true, undefined])
    assert.match(because(cut) ?? '', /does not have the 6 fields/)
    assert.notEqual(because(open), undefined)
  })

  it('are read as the module of Python writes them, in its dialects', async () => {
    const displayName = 'Müller, "Änna"; d’Arc'
    const program = `import csv, sys
for dialect in ('excel', 'unix'):
    with open(sys.argv[1] + dialect, 'w', newline='', encoding='utf-8') as file:
        table = csv.writer(file, dialect)
        table.writerow(['username', 'display_name', 'groups', 'secret', 'digits'])
        table.writerow(['anna', sys.argv[2], 'staff;wiki', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 8])`
    execFileSync('/usr/bin/python3', ['-c', program, join(folder, 'python-'), displayName])
    for (const dialect of ['excel', 'unix']) {
      const [anna] = await Array.fromAsync(readCsv(join(folder, `python-${dialect}`)))
      assert.deepEqual([personOf(anna).displayName, personOf(anna).groups], [displayName, ['staff', 'wiki']])
      assert.deepEqual(
        [deviceOf(anna).digits, Buffer.from(deviceOf(anna).key).toString()],
        [8, '12345678901234567890'],
      )
    }
  })

  it('with a header of something else are refused', async () => {
    for (const header of ['name,mail', 'username,username', 'username,password', '', '"username']) {
      await assert.rejects(read(readCsv, `${header}\nx,y\n`), (error) => error instanceof SourceError, header)
    }
  })
})

it('any file is read or refused in a sentence, line by line (FT-FUZZ-5)', async () => {
  const readers: Reader[] = [
    (file) => readHtpasswd(file, undefined),
    (file) => readHtpasswd(file, file),
    readCsv,
    modAuthnOtp,
    (file) => readModAuthnOtp(file, { pins: true }),
    readOtpauthUris,
  ]
  const samples = [
    `HOTP/T30 joe + ${key} -2 2 883913 2009-06-04T21:17:03L 10.1.1.153\n`,
    'username,disabled,secret\nanna,no,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n',
    'anna:$apr1$abcdefgh$skUZbTSUa8NVTVb6ipy/50\nstaff: anna bert\n',
    'otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=6\n',
  ].map((text) => Buffer.from(text))
  const damaged = fc
    .tuple(fc.constantFrom(...samples), fc.nat(200), fc.nat(5), fc.uint8Array({ maxLength: 6 }))
    .map(([text, at, cut, more]) =>
      Buffer.concat([text.subarray(0, at), more, text.subarray(at + cut), text]),
    )
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...readers), fc.oneof(damaged, anything), async (reader, content) => {
      try {
        for (const record of await read(reader, content)) assert.equal(typeof record.username, 'string')
      } catch (error) {
        assert.ok(error instanceof SourceError, String(error))
      }
    }),
    { numRuns: 1500 },
  )
})

it('a line that never ends is skipped (FT-FUZZ-5)', async () => {
  const content = Buffer.concat([Buffer.alloc(30_000_000, 'x'), Buffer.from(':y\nanna:$1$a$b\n')])
  const [long, anna] = await read((file) => readHtpasswd(file, undefined), content)
  assert.equal(because(long), 'the line is too long')
  assert.equal(personOf(anna).username, 'anna')
})
