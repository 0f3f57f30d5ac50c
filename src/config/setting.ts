import { z } from 'zod'
import { type Network, parseNetwork, printNetwork, type Refuse } from './values.ts'

/** What stands beside each setting in the table: all that documentation, messages and the environment need. */
export interface SettingNote {
  /** How it is written in the environment: as it is, as digits, true/false, or separated by commas. */
  readonly kind: 'text' | 'number' | 'boolean' | 'list'
  /** What to write, to end the sentence "Write …": type, unit and range. */
  readonly type: string
  /** The default as one would write it; text in brackets describes one that is worked out. */
  readonly fallback: string
  readonly help: string
  /** A value that may hold a password: never shown in a message, and readable from a file (`…_FILE`). */
  readonly secret?: true
  /** Writes a parsed value as one would write the setting. */
  readonly print: (value: never) => string
}

/** The notes of all settings, by their schema. */
export const settingNotes = z.registry<SettingNote>()

/** What to write for a list of networks. */
export const networks = 'a list of IP addresses and networks, such as ["192.0.2.7", "2001:db8::/64"]'

/** One setting, with its note. */
export function setting<S extends z.ZodType>(
  schema: S,
  note: Omit<SettingNote, 'print'> & { readonly print: (value: Exclude<z.output<S>, undefined>) => string },
): S {
  settingNotes.add(schema, note)
  return schema
}

/** A table of the TOML file; one that is absent is as one that is empty. */
export function section<S extends z.ZodRawShape>(shape: S) {
  // The empty table is right for every section, since each setting in it has a default or is optional.
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<S, z.core.$strict>>)
}

/** A whole number in a range, with its unit in the plural. */
export function number(
  unit: string,
  fallback: number,
  [least, most]: readonly [number, number],
  help: string,
  fallbackText = String(fallback),
) {
  return setting(z.int().min(least).max(most).default(fallback), {
    kind: 'number',
    type: `a whole number of ${unit} from ${least} to ${most}`,
    fallback: fallbackText,
    help,
    print: String,
  })
}

/** A list of names of people or groups. */
export function names(help: string, isName: (name: string) => boolean) {
  return setting(z.array(z.string().refine(isName)).max(1000).default([]).readonly(), {
    kind: 'list',
    type: 'a list of names, such as ["alice", "bob"]',
    fallback: '[]',
    help,
    print: JSON.stringify,
  })
}

/** A whole number of seconds in a range. */
export function seconds(fallback: number, range: readonly [number, number], help: string) {
  return number('seconds', fallback, range, help)
}

/** One of a few words. */
export function choice<const V extends string>(
  values: readonly V[],
  note: { fallback: NoInfer<V>; help: string },
) {
  return setting(z.enum(values).default(note.fallback), {
    kind: 'text',
    type: `one of ${values.map((value) => `"${value}"`).join(', ')}`,
    ...note,
    print: String,
  })
}

/** Text that a parser turns into what it means; the parser's refusal becomes the problem. */
export function parsed<T>(parse: (text: string, refuse: Refuse) => T) {
  return z.string().transform((text, context): T => {
    return parse(text, (why) => {
      context.addIssue({ code: 'custom', message: why })
      return z.NEVER
    })
  })
}

/** Addresses and networks. */
export function networkList(fallback: string[]) {
  return z.array(parsed(parseNetwork)).max(1000).prefault(fallback).readonly()
}

/** The list as one would write it. */
export function printNetworks(list: readonly Network[]): string {
  return JSON.stringify(list.map(printNetwork))
}
