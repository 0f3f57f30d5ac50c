import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import { hotpCode, type OtpAlgorithm } from '../../../src/domain/otp/hotp.ts'
import { type TotpParameters, timeStepAt, totpCode } from '../../../src/domain/otp/totp.ts'

interface Draw {
  readonly kind: 'totp' | 'hotp'
  readonly key: Buffer
  readonly parameters: TotpParameters
  /** Unix seconds for `totp`, the counter for `hotp`. */
  readonly at: number
}

const draws = 10_000
/** oathtool prints the codes of this many steps from the drawn one on, which costs next to nothing. */
const codesEach = 10

it(`agrees with oathtool on ${draws} random keys, times, hashes and lengths (SEC-OTP-17)`, async (t) => {
  const seed = Number(process.env.OATHTOOL_SEED ?? randomInt(2 ** 31))
  t.diagnostic(`OATHTOOL_SEED=${seed}`)
  const all = Array.from({ length: draws }, (_, index) => draw(seed, index))

  const half = draws / 2
  const answers = await Promise.all([oathtool(all.slice(0, half)), oathtool(all.slice(half))])
  const theirs = answers.flat()

  assert.equal(theirs.length, draws * codesEach)
  for (const [index, drawn] of all.entries()) {
    const expected = theirs.slice(index * codesEach, (index + 1) * codesEach)
    assert.deepEqual(ourCodes(drawn), expected, `seed ${seed}, ${command(drawn)}`)
  }
})

/** The draw is a function of seed and index, so that one failure can be looked at again. */
function draw(seed: number, index: number): Draw {
  const random = createHash('shake256', { outputLength: 128 }).update(`${seed}:${index}`).digest()
  const kind = random.readUInt8(0) % 5 === 0 ? 'hotp' : 'totp'
  const algorithms: readonly OtpAlgorithm[] = ['sha1', 'sha256', 'sha512']
  // oathtool has no HOTP with other hashes.
  const algorithm = kind === 'hotp' ? 'sha1' : (algorithms[random.readUInt8(1) % 3] ?? 'sha1')
  const period = [30, 30, 60, 17][random.readUInt8(2) % 4] ?? 30
  const t0 = random.readUInt8(3) % 4 === 0 ? random.readUInt32BE(4) % 100_000 : 0
  // Up to 40 bits of seconds or 53 of counter, half of them near today's 31 bits.
  const bits = random.readUInt8(8) % 2 === 0 ? 31 : kind === 'totp' ? 40 : 53
  return {
    kind,
    // 1 to 100 bytes: shorter than a hash, and longer than the block of SHA-1 and SHA-256.
    key: random.subarray(28, 29 + (random.readUInt8(9) % 100)),
    parameters: { algorithm, digits: random.readUInt8(10) % 2 === 0 ? 6 : 8, period, t0 },
    at: t0 + Number(random.readBigUInt64BE(16) % (2n ** BigInt(bits) - 100_000n)),
  }
}

function ourCodes({ kind, key, parameters, at }: Draw): string[] {
  const first = kind === 'totp' ? timeStepAt(at, parameters) : at
  return Array.from({ length: codesEach }, (_, ahead) =>
    kind === 'totp' ? totpCode(key, first + ahead, parameters) : hotpCode(key, first + ahead, parameters),
  )
}

function command({ kind, key, parameters, at }: Draw): string {
  const { algorithm, digits, period, t0 } = parameters
  const mode = kind === 'totp' ? `--totp=${algorithm} -s ${period}s -S @${t0} -N @${at}` : `-c ${at}`
  return `oathtool ${mode} -d ${digits} -w ${codesEach - 1} ${key.toString('hex')}`
}

/** All codes printed for `wanted`, in order, from one shell that starts oathtool for each. */
async function oathtool(wanted: readonly Draw[]): Promise<string[]> {
  const shell = spawn('/bin/sh', ['-e'], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exit = new Promise<number | null>((resolve, reject) =>
    shell.once('error', reject).once('close', resolve),
  )
  // A shell that stopped early breaks the pipe; its exit status and stderr tell why.
  shell.stdin.on('error', () => {})
  shell.stdin.end(wanted.map((drawn) => `${command(drawn)}\n`).join(''))
  const [output, errors, status] = await Promise.all([text(shell.stdout), text(shell.stderr), exit])
  assert.equal(status, 0, `oathtool did not run: ${errors}`)
  return output.trim().split('\n')
}
