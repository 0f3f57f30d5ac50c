import type { z } from 'zod'
import { nearest, settings } from './describe.ts'

/** Puts source and key before a problem. */
export type Describe = (key: string, problem: string) => string

/** One issue of the schema as lines a person can act upon: what is wrong, and what to write instead. */
export function explain(issue: z.core.$ZodIssue, raw: Record<string, unknown>, describe: Describe): string[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const names = settings.flatMap(({ name }) => [name, name.replace(/\..*/, '')])
    return issue.keys.map((key) => {
      const name = [...path, key].join('.')
      return describe(name, `is not a setting.${nearest(name, names)}`)
    })
  }
  const setting = settings.find(({ name }) => name === path.join('.') || name === path.slice(0, -1).join('.'))
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
