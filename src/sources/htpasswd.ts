import { bareRecord, type ImportRecord, type SourceRecord } from '../domain/import-record.ts'
import { readLines } from './lines.ts'

/**
 * The users of a password file of Apache (`htpasswd`), in the groups of a group file.
 *
 * Read as Apache reads it: the hash ends at the next colon, and of two lines for one name the first counts. DES and
 * plain text are left out, with the user made without a password.
 *
 * @throws SourceError when a file cannot be read.
 */
export async function* readHtpasswd(
  file: string,
  groupFile: string | undefined,
): AsyncGenerator<SourceRecord> {
  const groups = groupFile === undefined ? new Map<string, string[]>() : yield* readGroups(groupFile)
  for await (const line of readLines(file)) {
    const sourceId = `line ${line.number}`
    if ('because' in line) {
      yield { kind: 'unreadable', sourceId, username: '', because: line.because }
      continue
    }
    if (/^\s*(?:#|$)/.test(line.text)) continue
    const [username = '', hash] = line.text.split(':')
    if (hash === undefined) {
      yield { kind: 'unreadable', sourceId, username: '', because: 'the line has no colon' }
      continue
    }
    yield personOf(username, hash.trim(), groups.get(username) ?? [])
    groups.delete(username)
  }
  for (const username of groups.keys()) {
    const because = 'is in the group file and not in the password file'
    yield { kind: 'unreadable', sourceId: `member ${username}`, username, because }
  }
}

function personOf(username: string, hash: string, groups: readonly string[]): ImportRecord {
  const isFormat = /^(?:\$|\{)/.test(hash)
  return {
    ...bareRecord(username, username),
    passwordHash: isFormat ? hash : undefined,
    groups,
    notes: isFormat ? [] : [`password left out: ${whyLeftOut(username, hash)}`],
  }
}

/** A text of 13 characters may be a password in clear as well, and is never printed. */
function whyLeftOut(username: string, hash: string): string {
  const help = `watchword user invite ${username}`
  return /^[./A-Za-z0-9]{13}$/.test(hash)
    ? `it is DES crypt, which holds eight characters and cannot be checked here: ${help}`
    : `it is in clear, or of no format that is known: ${help}`
}

/** Groups by member; a group may have several lines (`group: alice bob`). */
async function* readGroups(file: string): AsyncGenerator<SourceRecord, Map<string, string[]>> {
  const groups = new Map<string, string[]>()
  for await (const line of readLines(file)) {
    const [, group, members] = 'text' in line ? (/^\s*([^\s:#][^:]*):(.*)$/.exec(line.text) ?? []) : []
    if (group === undefined || members === undefined) {
      if ('text' in line && /^\s*(?:#|$)/.test(line.text)) continue
      const because = 'because' in line ? line.because : 'the line is not of the form "group: alice bob"'
      yield { kind: 'unreadable', sourceId: `group line ${line.number}`, username: '', because }
      continue
    }
    for (const member of members.split(/\s+/).filter((name) => name !== '')) {
      groups.set(member, [...(groups.get(member) ?? []), group.trim()])
    }
  }
  return groups
}
