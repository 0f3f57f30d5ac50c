/** Why a text may not become the name of a group. */
export type GroupNameProblem = 'empty' | 'too-long' | 'forbidden-character'

const shape = /^[a-z0-9][a-z0-9._-]*$/

/**
 * Says why a text may not name a group, or gives `undefined` when it may.
 *
 * 1 to 64 lower-case ASCII letters, digits and `. _ -`: groups are joined with commas in headers and environment.
 */
export function groupNameProblem(name: string): GroupNameProblem | undefined {
  if (name.length === 0) return 'empty'
  if (name.length > 64) return 'too-long'
  return shape.test(name) ? undefined : 'forbidden-character'
}
