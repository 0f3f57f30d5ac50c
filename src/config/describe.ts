import { z } from 'zod'
import { namedTables } from './policies.ts'
import { settingsSchema } from './schema.ts'
import { type SettingNote, settingNotes } from './setting.ts'

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
