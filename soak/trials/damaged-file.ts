import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../support/random.ts'
import { isTakenElsewhere } from '../support/town/codes.ts'
import { mixedLoad } from '../support/town/load.ts'
import { type Node, NodeEnded } from '../support/town/node.ts'
import type { Person, Spent } from '../support/town/person.ts'
import { count, type Findings, noFindings } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import { visit } from '../support/town/visit.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

const PAGE = 4096
/** A session that nobody has. */
const unknown = 'A'.repeat(43)

/** `FT-DISK-3`: the files of the database are damaged while no server runs. */
export const damagedFile: Trial = {
  id: 'FT-DISK-3',
  name: 'damaged-file',
  holds:
    'On damaged files the server does not start and says why in a sentence, or it lets nobody in whom it should not (I3).',
  rounds: 'damaged files',
  sizes: { ci: 24, soak: 5000, release: 5000 },
  needs: [
    ...['starts refused', 'servers asked', 'answered with a fault', 'codes sent again', 'ended sessions'],
    ...['unknown sessions', 'sessions that go on'],
  ],
  patience: 60,
  begin: damages,
}

/** What must not be let in, as it was when the whole of it stood in the main file. */
interface Ended {
  readonly person: Person
  readonly password: string
  readonly tokens: readonly string[]
  readonly spent: readonly Spent[]
}

async function damages({ folder }: Stage): Promise<Running> {
  let town: Town | undefined
  let ended: readonly Ended[] = []
  const begun = async (random: Random): Promise<Town> => {
    const here = await foundTown({ folder: join(folder, 'town'), people: 60, random })
    town = here
    await here.start()
    await here.wakeAdmin()
    await worked(here, random, 150)
    // A server that stops copies its log into the file; what comes after it stands in the log of one that is killed.
    for (const node of here.nodes) await node.stop()
    await here.kill(here.nodes[0] ?? (await here.start()))
    ended = here.people.map((person) => ({
      ...{ person, password: person.world.password },
      ...{ tokens: [...person.ended], spent: [...person.spent] },
    }))
    await here.start()
    await worked(here, random, 60)
    for (const node of [...here.nodes]) await here.kill(node)
    return here
  }
  return {
    async round(_number, random) {
      const here = town ?? (await begun(random))
      const data = join(folder, 'damaged')
      rmSync(data, { recursive: true, force: true })
      cpSync(join(here.folder, 'data'), data, { recursive: true })
      const logged = statSync(here.log).size
      const found = noFindings()
      const kind = damage(join(data, 'watchword.sqlite3'), random)
      count(found.counts, kind)
      let node: Node
      try {
        node = await here.startOn(data)
      } catch (error) {
        if (!(error instanceof NodeEnded)) throw error
        refused(readFileSync(here.log).subarray(logged).toString(), kind, found)
        return found
      }
      count(found.counts, 'servers asked')
      const asked = random.shuffled(ended).slice(0, 20)
      await Promise.all(asked.map((each) => ask(node, each, { kind, found })))
      if (!node.isAlive()) count(found.counts, 'servers that ended')
      await node.kill()
      return found
    },
    async end() {
      await town?.close()
      return undefined
    },
  }
}

async function worked(town: Town, random: Random, answers: number): Promise<void> {
  const load = mixedLoad(town, { random, lanes: 4 })
  await load.answered(answers)
  const { violations } = await load.stop()
  if (violations.length > 0) throw new Error(violations.join(' '))
}

/** Changes the file or its log, and says how. */
function damage(file: string, random: Random): string {
  const bytes = readFileSync(file)
  const log = readFileSync(`${file}-wal`)
  const kind = random.below(8)
  // What stands in the log hides the pages of the file: without it they are as after an orderly end.
  if (kind < 6 && random.below(3) > 0) rmSync(`${file}-wal`)
  const aPage = () => PAGE * random.below(Math.floor(bytes.length / PAGE))
  const some = Array.from({ length: 1 + random.below(10) }, aPage)
  switch (kind) {
    case 0:
      for (const page of some) random.bytes(PAGE).copy(bytes, page)
      writeFileSync(file, bytes)
      return 'pages of noise'
    case 1:
      for (const page of some) bytes.fill(0, page, page + PAGE)
      writeFileSync(file, bytes)
      return 'empty pages'
    case 2:
      for (const page of some) {
        const other = aPage()
        const kept = Buffer.from(bytes.subarray(page, page + PAGE))
        bytes.copy(bytes, page, other, other + PAGE)
        kept.copy(bytes, other)
      }
      writeFileSync(file, bytes)
      return 'pages exchanged'
    case 3:
      writeFileSync(file, bytes.subarray(0, random.below(bytes.length)))
      return 'files cut short'
    case 4:
      writeFileSync(file, random.bytes(random.below(20_000)))
      return 'files of noise'
    case 5:
      random.bytes(1 + random.below(100)).copy(bytes, random.below(100))
      writeFileSync(file, bytes)
      return 'heads damaged'
    case 6:
      // Nothing tells a log that was cut from one that ended there: it holds an earlier state, whole.
      writeFileSync(`${file}-wal`, log.subarray(0, random.below(log.length)))
      return 'logs cut short'
    default:
      random.bytes(64).copy(log, random.below(log.length))
      writeFileSync(`${file}-wal`, log)
      return 'logs damaged'
  }
}

/** A refusal is a sentence or two for people, and no trace of our code. */
function refused(text: string, kind: string, found: Findings): void {
  count(found.counts, 'starts refused')
  const said = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .join('\n')
  if (said === '' || /^\s+at |node:internal/m.test(said)) {
    found.violations.push(`After ${kind} the start was refused without a sentence: ${said.slice(0, 300)}`)
  }
}

/** Sessions that ended, codes that were used and a wrong password open nothing; a session opens to its own user alone. */
async function ask(
  node: Node,
  { person, password, tokens, spent }: Ended,
  { kind, found }: { kind: string; found: Findings },
): Promise<void> {
  const { username, address, world } = person
  const look = async (session: string) => {
    const reply = await visit(node, { method: 'GET', path: '/auth/session/', session, address })
    if (reply.kind === 'answered' && reply.status >= 500) count(found.counts, 'answered with a fault')
    return reply
  }
  // A session that holds comes first: what a server remembers of it must not stand in for what it cannot read.
  const alive = world.sessions.at(-1)
  const reply = alive && (await look(alive.token))
  if (reply?.kind === 'answered' && reply.status === 200) {
    count(found.counts, 'sessions that go on')
    if (reply.body.user.username !== username)
      found.violations.push(`${username}: after ${kind} they are somebody else.`)
  }
  for (const token of [...tokens.slice(-2), unknown]) {
    const answer = await look(token)
    count(found.counts, token === unknown ? 'unknown sessions' : 'ended sessions')
    if (answer.kind === 'answered' && answer.status === 200)
      found.violations.push(
        `${username}: after ${kind} a session that ended, or that nobody has, is believed.`,
      )
  }
  const used = spent.at(-1)
  const isUnclear = used?.code !== undefined && isTakenElsewhere(used.code, world.devices)
  const tries = [
    ...(used !== undefined && !isUnclear ? [{ username, password, otp: used.text }] : []),
    { username, password: 'another anvil under 7 moons', otp: '000000' },
  ]
  for (const fields of tries) {
    const tried = await visit(node, { method: 'POST', path: '/auth/authenticate/', fields, address })
    count(found.counts, 'codes sent again')
    if (tried.kind === 'answered' && tried.status === 200) {
      found.violations.push(`${username}: after ${kind} a used code or a wrong password is accepted.`)
    }
  }
}
