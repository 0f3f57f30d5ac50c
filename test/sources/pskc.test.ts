import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import type { SourceRecord } from '../../src/domain/import-record.ts'
import { hotpCode } from '../../src/domain/otp/hotp.ts'
import { totpCode } from '../../src/domain/otp/totp.ts'
import { readPskc } from '../../src/sources/pskc.ts'
import { readSharedKey } from '../../src/sources/pskc-cipher.ts'
import { SourceError } from '../../src/sources/source-error.ts'
import {
  cbc,
  container,
  derivedKey,
  encryptedSecret,
  figure7,
  plainSecret,
  protectedBy,
  rfc6030,
  sealedValue,
  token,
} from '../support/pskc.ts'

const NOW = 1_800_000_000
const folder = mkdtempSync(join(tmpdir(), 'ww-pskc-'))
after(() => rmSync(folder, { recursive: true }))

interface Given {
  readonly key?: Uint8Array
  readonly passphrase?: string
  readonly owners?: string
}

async function read(
  content: string | Buffer,
  { key, passphrase, owners }: Given = {},
): Promise<SourceRecord[]> {
  const file = join(folder, 'tokens.xml')
  const ownersFile = owners === undefined ? undefined : join(folder, 'owners.csv')
  writeFileSync(file, content)
  if (ownersFile !== undefined && owners !== undefined) writeFileSync(ownersFile, owners)
  return Array.fromAsync(readPskc({ file, ownersFile, key, passphrase, now: NOW }))
}

async function deviceIn(content: string, given?: Given) {
  const [record] = await read(content, given)
  const device = record?.kind === undefined ? record?.devices[0] : assert.fail(record.because)
  return device === undefined || device.kind === 'unreadable' ? assert.fail(device?.because) : device
}

/** Why a token is left out. */
async function because(content: string, given?: Given): Promise<string> {
  const [record] = await read(content, given)
  if (record?.kind === 'unreadable') return record.because
  const device = record?.devices[0]
  return device?.kind === 'unreadable' ? device.because : 'nothing was left out'
}

const refused = (content: string | Buffer, why: RegExp, given?: Given) =>
  assert.rejects(read(content, given), (error) => {
    assert.ok(error instanceof SourceError, String(error))
    assert.match(error.message, why)
    return true
  })

const encrypted = (mac: string = rfc6030.valueMac, value: string = rfc6030.encryptedSecret) =>
  container(protectedBy(cbc(rfc6030.encryptedMacKey)), token({ secret: encryptedSecret(cbc(value), mac) }))

/** A container whose key is derived of the passphrase of figure 7. */
const byPassphrase = (given?: Parameters<typeof derivedKey>[0], extra = '') =>
  container(
    protectedBy(cbc(figure7.encryptedMacKey), { key: derivedKey(given) }) + extra,
    token({ secret: encryptedSecret(cbc(figure7.encryptedSecret), figure7.valueMac) }),
  )

const oathtool = (...words: string[]) => execFileSync('oathtool', words, { encoding: 'utf8' }).trim()

describe('a PSKC file', () => {
  it('in clear gives the key of the first example of RFC 6030, and its codes', async () => {
    const [record] = await read(container(token()))
    assert.equal(record?.username, 'jsmith')
    const { kind, key, digits, counter } = await deviceIn(container(token()))
    assert.deepEqual(
      [kind, Buffer.from(key).toString(), digits, counter],
      ['hotp', '12345678901234567890', 8, 0],
    )
    const code = oathtool('--hotp', '-d', '8', '-c', '0', rfc6030.secret.toString('hex'))
    assert.equal(hotpCode(key, 0, { algorithm: 'sha1', digits: 8 }), code)
  })

  it('encrypted with a pre-shared key gives that of its example (SEC-OTP-17)', async () => {
    const { key } = await deviceIn(encrypted(), { key: rfc6030.sharedKey })
    assert.deepEqual(Buffer.from(key), rfc6030.secret)
  })

  it('encrypted with a passphrase gives that of figure 7 of RFC 6030 (SEC-OTP-17)', async () => {
    const { passphrase, derivedKey: derived } = figure7
    const withoutPrf = byPassphrase({ prf: '' })
    // As the RFC has it: with a prefix for its own elements, and none for those of the parameters.
    const prefixed = byPassphrase()
      .replaceAll(/<(\/?)(?=[A-Z])(?!Salt|Specified|IterationCount|KeyLength|PRF)/g, '<$1pskc:')
      .replace('xmlns=', 'xmlns:pskc=')
    for (const content of [byPassphrase(), withoutPrf, prefixed]) {
      const { key } = await deviceIn(content, { passphrase })
      assert.deepEqual(Buffer.from(key), rfc6030.secret)
    }
    // The example's own derived key, given as one that was shared, opens the same values.
    const shared = byPassphrase().replace(/<xenc11:DerivedKey>.*<\/xenc11:DerivedKey>/, '')
    assert.deepEqual(Buffer.from((await deviceIn(shared, { key: derived })).key), rfc6030.secret)
  })

  it('is opened by PBKDF2 with the other hashes and lengths too', async () => {
    const salt = Buffer.alloc(16, 3)
    for (const [hash, bytes] of [
      ['sha256', 32],
      ['sha512', 16],
    ] as const) {
      const keys = {
        key: pbkdf2Sync('päss', salt, 3, bytes, hash),
        macKey: Buffer.alloc(20, 2),
        hash: 'sha1' as const,
      }
      const bits = bytes === 16 ? 128 : 256
      const derived = derivedKey({
        method: 'http://www.w3.org/2009/xmlenc11#pbkdf2',
        salt: `<Salt><Specified>${salt.toString('base64')}</Specified></Salt>`,
        iterations: '3',
        length: `${bytes}`,
        prf: `<PRF Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-${hash}"/>`,
      })
      const secret = sealedValue(rfc6030.secret, keys)
      const content = container(
        protectedBy(cbc(sealedValue(keys.macKey, keys).value, bits), { key: derived }),
        token({ secret: encryptedSecret(cbc(secret.value, bits), secret.mac) }),
      )
      const { key } = await deviceIn(content, { passphrase: 'päss' })
      assert.deepEqual(Buffer.from(key), rfc6030.secret)
    }
  })

  it('is opened under AES-256 with HMAC-SHA256 too', async () => {
    const keys = { key: Buffer.alloc(32, 1), macKey: Buffer.alloc(32, 2), hash: 'sha256' as const }
    const mac = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256'
    const secret = sealedValue(rfc6030.secret, keys)
    const content = container(
      protectedBy(cbc(sealedValue(keys.macKey, keys).value, 256), { mac }),
      token({ secret: encryptedSecret(cbc(secret.value, 256), secret.mac) }),
    )
    const { key } = await deviceIn(content, { key: keys.key })
    assert.deepEqual(Buffer.from(key), rfc6030.secret)
    await refused(content, /128 bits.*256/, { key: rfc6030.sharedKey })
  })

  it('gives tokens by time with their hash, period and drift, whose codes are those of oathtool', async () => {
    for (const [bits, digits] of [
      ['1', 6],
      ['256', 8],
      ['512', 6],
    ] as const) {
      const content = container(
        token({
          kind: 'totp',
          suite: bits === '1' ? '' : `<Suite>HMAC-SHA${bits}</Suite>`,
          format: `<ResponseFormat Length="${digits}" Encoding="DECIMAL"/>`,
          data: '<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>60</PlainValue></TimeInterval><TimeDrift><PlainValue>1</PlainValue></TimeDrift>',
        }),
      )
      const device = await deviceIn(content)
      assert.deepEqual([device.kind, device.period, device.drift, device.t0], ['totp', 60, 1, 0])
      const made = totpCode(device.key, Math.floor(NOW / 60), { algorithm: device.algorithm, digits })
      const words = [`--totp=sha${bits}`, '-d', `${digits}`, '-s', '60', '--now', `@${NOW}`]
      assert.equal(made, oathtool(...words, rfc6030.secret.toString('hex')))
    }
  })

  it('gives each token to whom the operator names, and else to whom the file names', async () => {
    const content = container(
      token(),
      token({ serial: '2', after: '' }),
      token({ serial: '3', after: '' }),
      token({ serial: '4', after: '<UserId>UID=jsmith,DC=example</UserId>' }),
      token({ serial: '5', after: '', device: '<UserId>carla</UserId>' }),
      token({ serial: '987654321', keyId: 'second' }),
    )
    const records = await read(content, { owners: 'username,serial\nanna,987654321\n"bert",2\ndora,99\n' })
    const people = records.flatMap((record) =>
      record.kind === undefined ? [`${record.username} ${record.devices.length}`] : [],
    )
    assert.deepEqual(people, ['anna 2', 'bert 1', 'carla 1'])
    const left = records.flatMap((record) => (record.kind === 'unreadable' ? [record.because] : []))
    assert.equal(left.length, 3)
    assert.match(left[0] ?? '', /token 3 has no owner: .*--owners/)
    assert.match(left[1] ?? '', /token 4 belongs to a name of a directory/)
    assert.match(left[2] ?? '', /token 99 is in the file of owners/)
    for (const owners of ['anna,1\n', 'serial,username\n1\n', 'serial,username\n1,a\n1,b\n', ''])
      await refused(content, /serial/, { owners })
  })

  it('leaves out what cannot be kept here, with the reason', async () => {
    const cases: [Parameters<typeof token>[0], RegExp][] = [
      [{ kind: 'pin' }, /neither HOTP nor TOTP/],
      [{ suite: '<Suite>OCRA-1:HOTP-SHA1-6:QN08</Suite>' }, /suite/],
      [{ format: '' }, /how many digits/],
      [{ format: '<ResponseFormat Length="8" Encoding="HEXADECIMAL"/>' }, /not decimal/],
      [{ format: '<ResponseFormat Length="8" Encoding="DECIMAL" CheckDigits="true"/>' }, /check digit/],
      [{ data: '' }, /no counter/],
      [{ data: '<Counter><PlainValue>x</PlainValue></Counter>' }, /cannot be read/],
      [{ kind: 'totp', data: '<Time><PlainValue>9</PlainValue></Time>' }, /1970/],
      [{ secret: '' }, /no key/],
      [{ secret: plainSecret('*') }, /no key/],
      [{ secret: plainSecret('A'.repeat(1_000_000)) }, /no key/],
      [{ secret: plainSecret(rfc6030.plain).repeat(2) }, /not of the form/],
      [{ device: '<ExpiryDate>2026-05-31T00:00:00Z</ExpiryDate>' }, /until 2026-05-31/],
      [{ device: '<StartDate>2030-05-31T00:00:00Z</StartDate>' }, /before 2030-05-31/],
      [{ device: '<StartDate>2020-05-31T00:00:00</StartDate>' }, /dates cannot be read/],
    ]
    const policies: [string, RegExp][] = [
      ['<ExpiryDate>2026-05-31T00:00:00Z</ExpiryDate>', /until/],
      ['<PINPolicy PINUsageMode="Prepend" PINKeyId="1"/>', /PIN/],
      ['<PINPolicy MinLength="4"/>', /PIN/],
      ['<KeyUsage>Encrypt</KeyUsage>', /not let it make codes/],
      ['<NumberOfTransactions>5</NumberOfTransactions>', /cannot be kept/],
      ['<Extensions/>', /cannot be kept/],
    ]
    for (const [given, why] of cases) assert.match(await because(container(token(given))), why)
    for (const [policy, why] of policies) {
      const content = container(token({ after: `<UserId>anna</UserId><Policy>${policy}</Policy>` }))
      assert.match(await because(content), why)
    }
  })

  it('says when a token ends, and keeps one whose PIN the device asks for itself', async () => {
    const policy =
      '<Policy><ExpiryDate>2031-05-31T00:00:00Z</ExpiryDate><PINPolicy PINUsageMode="Local"/><KeyUsage>OTP</KeyUsage></Policy>'
    const [record] = await read(container(token({ after: `<UserId>anna</UserId>${policy}` })))
    const { notes, devices } = record?.kind === undefined && record !== undefined ? record : assert.fail()
    assert.deepEqual([devices[0]?.kind, notes.length], ['hotp', 1])
    assert.match(notes[0] ?? '', /until 2031-05-31T00:00:00Z: remove it then/)
  })
})

describe('a PSKC file that somebody changed is refused as a whole (FT-FUZZ-5)', () => {
  const key = rfc6030.sharedKey

  it('with another key, a changed value, or without the MAC (SEC-CRY-5)', async () => {
    await refused(encrypted(), /--key-stdin/)
    for (let last = 0; last < 4; last++)
      await refused(encrypted(), /MAC of the file is not right/, { key: Buffer.alloc(16, last) })
    await refused(encrypted('AAAA'), /not right/, { key })
    await refused(encrypted(rfc6030.valueMac.replace('S', 'T')), /not right/, { key })
    await refused(encrypted(undefined, rfc6030.encryptedSecret.replace('OD+', 'OE+')), /not right/, { key })
    await refused(encrypted('').replace('<ValueMAC></ValueMAC>', ''), /no MAC/, { key })
    await refused(encrypted().replace(/<MACMethod.*<\/MACMethod>/, ''), /no MAC/, { key })
    await refused(encrypted().replace('hmac-sha1', 'hmac-md5'), /neither HMAC-SHA1/, { key })
    await refused(encrypted().replaceAll('aes128-cbc', 'tripledes-cbc'), /otherwise than by AES/, { key })
    await refused(encrypted().replace('ds:KeyName', 'ds:X').replace('/ds:KeyName', '/ds:X'), /certificate/, {
      key,
    })
  })

  it('with another passphrase, none, or parameters that nobody computes (SEC-CRY-5)', async () => {
    const { passphrase } = figure7
    await refused(byPassphrase(), /--passphrase-stdin/)
    await refused(byPassphrase(), /--passphrase-stdin/, { key })
    for (const other of ['qwertz', 'QWERTY', 'qwerty ', ''])
      await refused(byPassphrase(), /passphrase is another one/, { passphrase: other })
    await refused(encrypted(), /--key-stdin/, { passphrase })
    await refused(container(token()), /not encrypted with a passphrase/, { passphrase })
    const second = `<EncryptionKey>${derivedKey()}</EncryptionKey>`
    await refused(byPassphrase({}, second), /names its key twice/, { passphrase })
    const parameters: [Parameters<typeof derivedKey>[0], RegExp][] = [
      ...[2 ** 31, 5_000_001, 0, 999_999_999_999_999].map(
        (count): [Parameters<typeof derivedKey>[0], RegExp] => [
          { iterations: `${count}` },
          new RegExp(`for ${count} iterations`),
        ],
      ),
      ...['-1', '1e3', '', '0x10', '9'.repeat(400)].map(
        (iterations): [Parameters<typeof derivedKey>[0], RegExp] => [{ iterations }, /no known number of/],
      ),
      ...['15', '24', '0', '2147483648', '-16', ''].map(
        (length): [Parameters<typeof derivedKey>[0], RegExp] => [{ length }, /16 or 32 bytes/],
      ),
      [{ length: '32' }, /256 bits/],
      [{ salt: '' }, /a salt/],
      [{ salt: '<Salt><Specified/></Salt>' }, /a salt/],
      [{ salt: '<Salt><OtherSource/></Salt>' }, /a salt/],
      [{ salt: `<Salt><Specified>${'A'.repeat(1_000_000)}</Specified></Salt>` }, /a salt/],
      [{ salt: '<Salt><Specified>AAAA</Specified></Salt>'.repeat(2) }, /a salt/],
      [{ prf: '<PRF Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-md5"/>' }, /HMAC/],
      [{ method: 'http://www.w3.org/2009/xmlenc11#ConcatKDF' }, /otherwise than by PBKDF2/],
    ]
    const began = process.cpuUsage()
    for (const [given, why] of parameters) await refused(byPassphrase(given), why, { passphrase })
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 10_000_000, 'nothing of it was computed')
  })

  it('and no key in clear is taken from one that has a key', async () => {
    assert.match(await because(container(token()), { key }), /in clear/)
  })

  it('with entities, deep nesting, no end, or a token twice', async () => {
    const lols = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`)
    const bomb = `<!DOCTYPE x [<!ENTITY l0 "lol">${lols.join('')}]>`
    await refused(
      container(token()).replace('\n<KeyC', `\n${bomb}<KeyC`).replace('jsmith', '&l9;'),
      /DOCTYPE/,
    )
    await refused(container(token()).replace('jsmith', '&l9;'), /no well-formed XML/)
    await refused(container(`<Extensions>${'<a>'.repeat(100_000)}`), /nested or repeated/)
    await refused(container(`<Extensions>${'<a/>'.repeat(100_000)}</Extensions>`), /nested or repeated/)
    const attributes = Array.from({ length: 100_000 }, (_, n) => `a${n}=""`).join(' ')
    await refused(container(`<Extensions ${attributes}/>`), /nested or repeated/)
    await refused(Buffer.alloc(17 << 20, '<KeyContainer> '), /well-formed|nested|more than 16 MiB/)
    await refused(Buffer.concat([Buffer.from('<a>'), Buffer.alloc(17 << 20, 'x')]), /no PSKC file|16 MiB/)
    await refused(container(token()).slice(0, -30), /well-formed/)
    await refused(container(token()).replace('jsmith', '\0'), /well-formed/)
    await refused(Buffer.from(container(token()).replace('jsmith', 'é'), 'latin1'), /not UTF-8/)
    await refused(container(token(), token()), /987654321 with the key 12345678 twice/)
    await refused('', /well-formed/)
    await refused('<a/>', /no PSKC file/)
    await refused(container().replace('"1.0" xmlns', '"2.0" xmlns'), /no PSKC file/)
  })

  it('and whatever else it is, it is read or refused in a sentence', async () => {
    const samples = [encrypted(), container(token()), byPassphrase({ iterations: '10' })].map((text) =>
      Buffer.from(text),
    )
    const damaged = fc
      .tuple(fc.constantFrom(...samples), fc.nat(1600), fc.nat(5), fc.uint8Array({ maxLength: 6 }))
      .map(([text, at, cut, more]) => Buffer.concat([text.subarray(0, at), more, text.subarray(at + cut)]))
    const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(damaged, anything),
        fc.constantFrom({}, { key }, { passphrase: 'x' }),
        async (content, given) => {
          try {
            for (const record of await read(content, given)) assert.equal(typeof record.username, 'string')
          } catch (error) {
            assert.ok(error instanceof SourceError, String(error))
            assert.equal(error.message.includes(rfc6030.plain), false)
          }
        },
      ),
      { numRuns: 600 },
    )
  })
})

it('a pre-shared key is read in both spellings, and nothing else is one', () => {
  for (const key of [Buffer.alloc(16, 0xa5), Buffer.alloc(32, 0xa5)]) {
    for (const spelling of ['hex', 'base64'] as const)
      assert.deepEqual(Buffer.from(readSharedKey(key.toString(spelling)) ?? []), key)
  }
  for (const text of ['', 'a', 'a5'.repeat(15), 'a5'.repeat(24), `${'a5'.repeat(16)}g`, 'A'.repeat(5000)])
    assert.equal(readSharedKey(text), undefined)
})
