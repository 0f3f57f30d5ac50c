import type { z } from 'zod'
import { namedSettings, settings } from './describe.ts'
import { nearest } from './nearest.ts'

/** Puts source and key before a problem. */
export type Describe = (key: string, problem: string) => string

/** One issue of the schema as lines a person can act upon: what is wrong, and what to write instead. */
export function explain(issue: z.core.$ZodIssue, raw: Record<string, unknown>, describe: Describe): string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const names = [
      ...settings.flatMap(({ name }) => [name, name.replace(/\..*/, '')]),
      ...namedSettings.map(({ table, key }) => [table, path[1] ?? 'NAME', key].join('.')),
    ]
    return issue.keys.map((key) => {
      const name = [...path, key].join('.')
      return describe(name, `is not a setting.${nearest(name, names)}`)
    })
  }
  if (issue.code === 'invalid_key') {
    const shape = 'small letters, digits and hyphens, and no name that is built in'
    return [describe(path.join('.'), `is a name that a policy may not have. Write ${shape}.`)]
  }
  const setting = settingAt(path)
  if (!setting) {
    const section = path.join('.')
    return [
      describe(section, `is not a table. Write [${section}] on a line of its own, and its settings below.`),
    ]
  }
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], raw)
  const subject = setting.note.secret ? 'the value' : (JSON.stringify(value)?.slice(0, 80) ?? String(value))
  return [describe(setting.name, `${subject} ${complaint(issue)}. Write ${setting.note.type}.`)]
}

/** The setting that a path of keys, or the list that one of its items, belongs to. */
function settingAt(path: readonly string[]) {
  const named = namedSettings.map(({ table, key, note }) => {
    return { name: `${table}.${path[1]}.${key}`, note }
  })
  const [whole, list] = [path.join('.'), path.slice(0, -1).join('.')]
  return [...settings, ...named].find(({ name }) => name === whole || name === list)
}

function complaint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return issue.message
    case 'too_small':
      return issue.origin === 'string' ? 'is too short' : 'is too small'
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? 'is too long' : 'is too large'
    case 'invalid_type':
      return 'is of the wrong type'
    default:
      return 'is not allowed'
  }
}
