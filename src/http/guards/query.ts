import { type BodyOutcome, parseForm } from './body.ts'

/** Reads the parameters of an address: in UTF-8, and each at most once (SEC-INP-9). */
export function readQuery(url: string): Extract<BodyOutcome, { kind: 'fields' | 'malformed' }> {
  const mark = url.indexOf('?')
  const read = parseForm(mark === -1 ? '' : (url.slice(mark + 1).split('#', 1)[0] ?? ''))
  // PostgreSQL knows no text with a NUL, and no search of ours has one.
  const isText =
    read.kind === 'fields' && !Object.values(read.fields).some((value) => String(value).includes('\0'))
  if (isText) return read
  return { kind: 'malformed', why: 'The query is malformed, or names something twice.' }
}
