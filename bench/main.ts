import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../scripts/lib/runtime.js'
import { codeCheck } from './lines/code-check.ts'
import { engines } from './lines/engines.ts'
import { firstPaint } from './lines/first-paint.ts'
import { flood } from './lines/flood.ts'
import { lists } from './lines/lists.ts'
import { memory } from './lines/memory.ts'
import { pageWeight } from './lines/page-weight.ts'
import { pages } from './lines/pages.ts'
import { protectedPlaces } from './lines/protected.ts'
import { sessionChecks } from './lines/session-checks.ts'
import { signIns } from './lines/sign-ins.ts'
import { size } from './lines/size.ts'
import { start } from './lines/start.ts'
import { withoutHash } from './lines/without-hash.ts'
import { comparePeers } from './peers/compare.ts'
import { installPeers, PeersMissing } from './peers/install.ts'
import { prepareData } from './support/data.ts'
import { isMet, type Line } from './support/line.ts'
import { endWithUs, foreignCpuSeconds } from './support/processes.ts'
import { print } from './support/table.ts'

// npm run bench: measures what is promised in docs/performance.md, and exits 1 when a promise is not kept.
const measurements = [
  ...[signIns, withoutHash, sessionChecks, flood, codeCheck, start, memory],
  ...[pages, firstPaint, pageWeight, lists, protectedPlaces, size, engines],
]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})
const { quick, only } = options
const names = measurements.flatMap((measurement) => measurement.names)
if (only !== undefined && !names.includes(only)) {
  console.error(`There is no line ${only}. There are: ${names.join(', ')}`)
  process.exit(2)
}

if (options.peers) installed()
const data = await prepareData()
endWithUs(() => data.remove())
if (options.peers) {
  await comparePeers({ data, quick, log: join(data.folder, 'servers.log') })
  process.exit()
}
const began = performance.now()
const lines: (Line & { readonly foreignCores: number })[] = []
for (const { names, run } of measurements) {
  if (only !== undefined && !names.includes(only)) continue
  const [at, foreign] = [performance.now(), foreignCpuSeconds()]
  const measured = await run({ data, quick, log: join(data.folder, 'servers.log') })
  const foreignCores = (foreignCpuSeconds() - foreign) / ((performance.now() - at) / 1000)
  for (const line of measured) print(line)
  if (foreignCores > 0.1)
    console.log(`  Disturbed: other programs used ${foreignCores.toFixed(2)} cores meanwhile.`)
  lines.push(...measured.map((line) => ({ ...line, foreignCores })))
}

const at = new Date().toISOString()
const seconds = Math.round((performance.now() - began) / 1000)
const file = resolve(options.json ?? join(root, 'bench', 'results', `${at.replaceAll(':', '')}.json`))
const machine = {
  node: process.version,
  cores: availableParallelism(),
  model: cpus()[0]?.model,
  kernel: release(),
}
const results = lines.map((line) => ({ ...line, met: isMet(line) }))
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, `${JSON.stringify({ at, quick, seconds, machine, lines: results }, undefined, 2)}\n`)

const missed = lines.filter((line) => !isMet(line)).length
const judgement = quick ? 'Quick: not a judgement.' : missed === 0 ? 'All met.' : `${missed} missed.`
console.log(`\n${lines.length} targets in ${seconds} s. ${judgement} ${file}`)
process.exit(missed > 0 && !quick ? 1 : 0)

/** Gets what the peers need before anything is prepared; ends where that cannot be had. */
function installed(): void {
  try {
    installPeers()
  } catch (error) {
    if (!(error instanceof PeersMissing)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
