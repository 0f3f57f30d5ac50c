import { type Finding, finding } from '../finding.ts'
import { type Included, type Node, ownFile } from '../tree.ts'
import type { View } from '../view.ts'

const again = 'Run "watchword apache install" again, as root, then: apachectl graceful'

/** The files that `watchword apache install` wrote: there, unchanged, of the settings in force, unreadable to others. */
export function judgeOwnFiles(view: View): Finding[] {
  const own = new Map([...everyOwn(view.configuration.nodes)].map((included) => [included.file, included]))
  const found = [...own.values()].flatMap((included) => [...judgeFile(view, included)])
  return [...found, ...judgeSetup(view, [...own.keys()]), ...missingFiles(view)]
}

function* judgeFile({ configuration, settings, machine }: View, { file, at }: Included): Generator<Finding> {
  const kind = ownFile(file)
  const prefix = file.replace(/\/[^/]+\/[^/]+$/, '')
  const policy = kind?.kind === 'place' ? kind.policy : undefined
  const files = settings.generate(prefix, policy)
  const name = file.slice(file.lastIndexOf('/'))
  const expected = files.find(({ path }) => path.endsWith(name))
  if (expected === undefined) {
    if (policy !== undefined) {
      yield finding(
        'unknown-policy',
        at,
        `There is no policy "${policy}": nobody enters.`,
        `Write a name of "watchword policy list", or add [policies.${policy}] to the settings and restart Watchword.`,
      )
    }
    return
  }
  if (configuration.texts.get(file) !== expected.text) {
    if (kind?.kind === 'secret') {
      yield finding('secret-stale', { file, line: 1 }, 'The secret is not the one that Watchword has.', again)
    } else {
      yield finding(
        'stale-file',
        { file, line: 1 },
        'The file is not what is written for the settings in force: it was edited, or is of another release or of other settings.',
        again,
      )
    }
  }
  const mode = machine.modeOf(file)
  if (kind?.kind === 'secret' && mode !== undefined && (mode & 0o077) !== 0) {
    yield finding(
      'secret-readable',
      { file, line: 1 },
      'Others than its owner may read the secret: whoever knows it may ask Watchword as Apache does.',
      `chmod 600 ${file}. Then make a new secret: remove the file of authorizer.secret_file, restart Watchword, and run "watchword apache install".`,
    )
  }
}

function* judgeSetup({ hosts, settings, configuration }: View, files: readonly string[]): Generator<Finding> {
  const place = hosts.flatMap(({ places }) => places)[0]
  if (place === undefined) return
  const at = place.section.at
  if (settings.authorizer === undefined) {
    yield finding(
      'no-authorizer',
      at,
      'The settings switch the authorizer off: nobody enters.',
      'Give authorizer.listen an address with a port, restart Watchword, and run "watchword apache install".',
    )
  }
  if (!files.some((file) => ownFile(file)?.kind === 'server')) {
    yield finding(
      'no-authorizer',
      at,
      'Apache does not include watchword-authorizer.conf, which says whom to ask and closes TRACE.',
      'Run: a2enconf watchword-authorizer (or Include conf-available/watchword-authorizer.conf for the whole server)',
    )
  }
  const absent = ['authnz_fcgi', 'authn_core', 'authz_core', 'authz_user', 'headers', 'setenvif'].filter(
    (name) => !configuration.modules.has(`${name}_module`),
  )
  if (absent.length > 0) {
    yield finding(
      'module-missing',
      at,
      `Apache lacks modules: ${absent.join(', ')}.`,
      `Run: a2enmod ${absent.join(' ')}`,
    )
  }
}

function* missingFiles({ configuration, machine, hosts }: View): Generator<Finding> {
  const skipped = configuration.skipped.filter(({ text }) =>
    /^Include(?:Optional)?\s.*watchword\/protect-/i.test(text),
  )
  for (const { at } of skipped) {
    yield finding(
      'conditional',
      at,
      'The file that protects is included under a condition, which does not hold: what is served there is open.',
      'Take the condition away: Apache should not start without what protects the place.',
    )
  }
  for (const { at, pattern, found } of configuration.optional) {
    if (!/\/watchword\/[^/]*$|protect-/.test(pattern)) continue
    yield finding(
      'conditional',
      at,
      found
        ? 'If that file were gone, Apache would start and the place would be open.'
        : 'There is no such file, and Apache starts without it: the place is open.',
      'Write Include instead of IncludeOptional.',
    )
  }
  for (const { at, pattern } of configuration.missing) {
    const policy = ownFile(pattern)
    if (policy?.kind === 'place') {
      yield finding(
        'unknown-policy',
        at,
        `There is no file ${pattern}.`,
        'Include a file that "watchword apache install" writes; for a group, write it with --group NAME.',
      )
    } else if (policy?.kind === 'secret') {
      yield finding('secret-missing', at, `There is no file ${pattern}: Watchword refuses to answer.`, again)
    } else {
      yield finding(
        'not-read',
        at,
        `${pattern} is not there or cannot be read, so what it says was not looked at.`,
        'Run this as root.',
      )
    }
  }
  const unread = hosts.some(({ places }) => places.length > 0)
    ? (machine.files ?? []).filter((file) => !configuration.texts.has(file))
    : []
  for (const file of unread) {
    yield finding(
      'not-read',
      { file, line: 1 },
      'Apache reads this file, and it was not looked at here.',
      'Include it by a plain Include, so that it can be looked at.',
    )
  }
}

/** The files of Watchword wherever they are included, those within others too. */
function* everyOwn(nodes: readonly Node[]): Generator<Included> {
  for (const node of nodes) {
    if (node.kind === 'directive') continue
    if (node.kind === 'included' && ownFile(node.file) !== undefined) yield node
    yield* everyOwn(node.nodes)
  }
}
