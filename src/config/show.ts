import { namedSettings, settings } from './describe.ts'
import type { Config } from './load.ts'
import type { SettingNote } from './setting.ts'

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
