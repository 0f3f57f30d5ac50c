import { createHash } from 'node:crypto'
import { type Scene, scenesOf } from '../support/killed/scenes.ts'
import { type Change, changesOf, killAt } from '../support/killed/strace.ts'
import { type Engine, engines, makeTemplate } from '../support/killed/template.ts'
import { count, type Findings, gather, noFindings } from '../support/town/settle.ts'
import type { Running, Stage, Trial } from '../support/trial.ts'

/** `FT-CRASH-4`: commands that change much at once are killed at each call by which they change something. */
export const killedCommands: Trial = {
  id: 'FT-CRASH-4',
  name: 'killed-commands',
  holds:
    'Killed at any call, migrations, key changes, backups, restores and moves are wholly done or not at all, and a further run finishes (I1, I11).',
  rounds: 'kills of a command on each engine',
  // There are 1,350 calls on PostgreSQL, nearly all of them statements: each three times. A transaction of SQLite
  // makes calls only as it ends, some for each page: of these 2,500 most come twice, and for a release three times.
  sizes: { ci: 18, soak: 4050, release: 7500 },
  needs: engines.map((engine) => `kills on ${engine}`),
  patience: 120,
  begin: kills,
}

/** A command, and the call at which it is killed. */
interface Moment {
  readonly scene: Scene
  readonly change: Change
}

async function kills({ folder }: Stage): Promise<Running> {
  const template = await makeTemplate(folder)
  const scenes = scenesOf(template)
  const all = await Promise.all(engines.map((engine) => momentsOf(scenes, engine)))
  return {
    async round(number) {
      const found = noFindings()
      for (const each of await Promise.all(all.map((moments) => killOne(moments, number))))
        gather(found, each)
      return found
    },
    async end() {
      await template.close()
      return undefined
    },
  }
}

/** Every call of every command: first one of each, then another of each, and so on until none is left. */
async function momentsOf(scenes: readonly Scene[], engine: Engine): Promise<Moment[]> {
  const moments: { readonly turn: number; readonly moment: Moment }[] = []
  for (const scene of scenes.filter((each) => each.engine === engine)) {
    const copy = await scene.copy()
    const changes = await changesOf(scene.place(copy), scene.words(copy))
    await copy.drop()
    // The calls of a run differ a little from those of another: this order is nearly the same for both.
    const order = new Map(changes.map((change) => [change, hashOf(scene, change)]))
    const sorted = changes.toSorted((a, b) => (order.get(a) ?? '').localeCompare(order.get(b) ?? ''))
    moments.push(...sorted.map((change, turn) => ({ turn, moment: { scene, change } })))
  }
  return moments.toSorted((a, b) => a.turn - b.turn).map(({ moment }) => moment)
}

const hashOf = ({ name, engine }: Scene, { call, number }: Change) =>
  createHash('sha256').update(`${engine} ${name} ${call} ${number}`).digest('hex')

async function killOne(moments: readonly Moment[], number: number): Promise<Findings> {
  const { scene, change } = moments[number % moments.length] ?? {}
  if (scene === undefined || change === undefined) throw new Error('There is no command to kill.')
  const found = noFindings()
  const where = `${scene.name} on ${scene.engine}, killed at ${change.call} ${change.number}`
  const wrong = (what: string) => found.violations.push(`${where}: ${what}`)
  const copy = await scene.copy()
  // What cannot be read is wrong, too.
  const faults = (isFinished: boolean) =>
    scene.faults(copy, isFinished).catch((error: unknown) => [`it cannot be read: ${String(error)}`])
  const place = scene.place(copy)
  const words = scene.words(copy)
  const killed = await killAt(place, words, change)
  if (!killed.isKilled && killed.code !== 0) wrong(`it ended with ${killed.code}: ${killed.stderr}`)
  count(found.counts, killed.isKilled ? `kills on ${scene.engine}` : 'not reached')
  await copy.untilUnused()
  for (const fault of await faults(false)) wrong(fault)
  const again = await place.runWords(words)
  if (again.code === 0) count(found.counts, 'finished by a further run')
  else if (scene.refusal?.test(again.stderr)) count(found.counts, 'were finished already')
  else wrong(`a further run ended with ${again.code}: ${again.stderr}`)
  await copy.untilUnused()
  for (const fault of await faults(true)) wrong(`after a further run: ${fault}`)
  await copy.drop()
  return found
}
