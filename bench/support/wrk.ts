import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What came of a round of `wrk`. */
export interface WrkOutcome {
  readonly requests: number
  readonly rate: number
  /** Milliseconds. */
  readonly p99: number
  /** Bytes of an answer, heads included: tells a page from a redirect, which `wrk` does not. */
  readonly bytesEach: number
}

/** Asks for one path with many cookies in turn, made beforehand, as fast as the server answers. */
export function wrkWith(folder: string, cookies: readonly string[]) {
  const script = join(folder, 'cookies.lua')
  writeFileSync(join(folder, 'cookies.txt'), `${cookies.join('\n')}\n`)
  writeFileSync(
    script,
    `
local requests, at = {}, 0
function init(args)
  for line in io.lines("${join(folder, 'cookies.txt')}") do
    requests[#requests + 1] = wrk.format("GET", args[1], { Cookie = line })
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("@ %d %d %d %d %d\\n",
    summary.requests, summary.duration, latency:percentile(99), summary.bytes, failed))
end
`,
  )
  return async (
    port: number,
    path: string,
    { seconds, connections }: { seconds: number; connections: number },
  ): Promise<WrkOutcome> => {
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}`, path]
    const { stdout } = await run('wrk', args)
    const [requests = 0, duration = 1, p99 = 0, bytes = 0, failed = 0] = (/^@ (.*)$/m.exec(stdout)?.[1] ?? '')
      .split(' ')
      .map(Number)
    if (requests === 0 || failed > 0) throw new Error(`${failed} of ${requests} requests for ${path} failed.`)
    return { requests, rate: requests / (duration / 1e6), p99: p99 / 1000, bytesEach: bytes / requests }
  }
}
