import { z } from 'zod'
import type { Config } from './load.ts'
import { namedTables, type SettingNote, settingNotes, settingsSchema } from './schema.ts'

/** What every environment variable of ours begins with. */
export const variablePrefix = 'WATCHWORD_'

/** A setting by its dotted name, such as `session.idle_timeout`. */
export interface Setting {
  readonly name: string
  /** Its environment variable: the name in capitals, `WATCHWORD_SESSION_IDLE_TIMEOUT`. */
  readonly environment: string
  readonly note: SettingNote
}

/** All settings, in the order of the table. */
export const settings: readonly Setting[] = listSettings(settingsSchema, '')

/** A setting in a table that the operator named; it has no environment variable. */
export interface NamedSetting {
  /** The table that holds the named ones, such as `policies`. */
  readonly table: keyof typeof namedTables
  readonly key: string
  readonly note: SettingNote
}

/** All settings of tables that the operator names. */
export const namedSettings: readonly NamedSetting[] = Object.entries(namedTables).flatMap(([table, schema]) =>
  listSettings(schema, '').map(({ name, note }) => {
    return { table: table as keyof typeof namedTables, key: name, note } // Entries forget the type of keys.
  }),
)

/** One line of the documentation of settings. */
export interface SettingDescription {
  readonly name: string
  /** Absent where only the file can say it. */
  readonly environment?: string
  /** Type, unit and range in words. */
  readonly type: string
  readonly default: string
  readonly help: string
}

/** Every setting in words, for `docs/` and `watchword config`. */
export function describeSettings(): readonly SettingDescription[] {
  const described = (name: string, { type, fallback, help }: SettingNote) => {
    return { name, type, default: fallback, help }
  }
  return [
    ...settings.map(({ name, environment, note }) => ({ ...described(name, note), environment })),
    ...namedSettings.map(({ table, key, note }) => described(`${table}.NAME.${key}`, note)),
  ]
}

/** A setting in force, as one would write it; empty if it is not set. */
export interface EffectiveSetting {
  readonly name: string
  readonly note: SettingNote
  readonly value: string
}

/** The settings in force, in the order of the table, without passwords. */
export function showSettings(config: Config): readonly EffectiveSetting[] {
  const named = namedSettings.flatMap(({ table, key, note }) =>
    Object.keys(config[table]).map((name) => ({ name: `${table}.${name}.${key}`, note })),
  )
  return [...settings, ...named].map(({ name, note }) => {
    const value = name.split('.').reduce<unknown>((table, key) => {
      const property = key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
      return (table as Record<string, unknown>)[property]
    }, config)
    // `Config` has for each name what the setting of that name parses to.
    return { name, note, value: value === undefined ? '' : note.print(value as never) }
  })
}

/** ` Did you mean …?` for the name nearest to a mistyped one, or nothing if none is near. */
export function nearest(mistyped: string, names: Iterable<string>): string {
  let best = { name: '', distance: Math.max(2, Math.floor(mistyped.length / 4)) + 1 }
  for (const name of names) {
    const distance = editDistance(mistyped, name)
    if (distance < best.distance) best = { name, distance }
  }
  return best.name === '' ? ' Remove it.' : ` Did you mean "${best.name}"?`
}

function listSettings(schema: z.ZodObject, prefix: string): Setting[] {
  return Object.entries(schema.shape).flatMap(([key, inner]) => {
    if (prefix === '' && key in namedTables) return []
    const name = `${prefix}${key}`
    const note = settingNotes.get(inner as z.ZodType)
    if (note) return [{ name, environment: variablePrefix + name.replaceAll('.', '_').toUpperCase(), note }]
    if (inner instanceof z.ZodPrefault && inner.unwrap() instanceof z.ZodObject) {
      return listSettings(inner.unwrap() as z.ZodObject, `${name}.`)
    }
    throw new TypeError(`Setting ${name} has no note in schema.ts`)
  })
}

/** Insertions, deletions and replacements that lead from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
