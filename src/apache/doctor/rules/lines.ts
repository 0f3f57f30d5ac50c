import { type Finding, finding } from '../finding.ts'
import { everyDirective, type Host } from '../hosts.ts'
import { type Directive, directives, type Node, sections } from '../tree.ts'
import type { View } from '../view.ts'

/** Single lines that are wrong wherever they stand, once anything is protected. */
export function judgeLines({ hosts, configuration }: View): Finding[] {
  if (!hosts.some(({ places }) => places.length > 0)) return []
  const lines = new Set([...hosts.flatMap(everyDirective), ...directives(configuration.nodes)])
  return [
    ...[...lines].flatMap((line) => [...judgeVariable(line), ...judgeLog(line)]),
    ...hosts.flatMap(serverInfo),
  ]
}

const reserved = /^!?(WW_\w+|REMOTE_USER|REMOTE_GROUPS)(?:=|$)/

function* judgeVariable({ name, words, text, at }: Directive): Generator<Finding> {
  const assignments = assignmentsIn(name, words)
  for (const each of assignments) {
    const variable = reserved.exec(each)?.[1]
    if (variable === 'WW_SECRET' && !each.startsWith('!')) {
      yield finding(
        'secret-elsewhere',
        at,
        'The secret of the authorizer stands here, or is passed on.',
        'Remove the line: the included file brings the secret where it belongs.',
      )
    } else if (variable !== undefined && !each.startsWith('!REDIRECT')) {
      yield finding(
        'reserved-variable',
        at,
        `${variable} is what Apache and Watchword tell each other; nothing else may set it.`,
        'Remove the line, or use a variable of another name.',
      )
    }
    if (/^HTTP_AUTHORIZATION(?:=|$)/.test(each)) {
      yield finding(
        'pass-authorization',
        at,
        'It hands app passwords to every program that Apache runs.',
        'Remove the line.',
      )
    }
  }
  if (name === 'authnzfcgidefineprovider') return
  if (/^(?:requestheader|header)$/.test(name) && /WW_SECRET/.test(text)) {
    yield finding('secret-elsewhere', at, 'It sends the secret of the authorizer on.', 'Remove the line.')
  }
}

/** What a line gives variables: `NAME=value`, `NAME` or `!NAME`. */
function assignmentsIn(name: string, words: readonly string[]): readonly string[] {
  switch (name) {
    case 'setenv':
    case 'passenv':
      return words.slice(0, name === 'setenv' ? 1 : undefined)
    case 'setenvif':
    case 'setenvifnocase':
      return words.slice(2)
    case 'setenvifexpr':
    case 'browsermatch':
    case 'browsermatchnocase':
      return words.slice(1)
    case 'rewriterule':
      return [...(words[2] ?? '').matchAll(/[[,]\s*(?:E|env)=([^,\]]*)/gi)].map(([, variable = '']) =>
        variable.replace(':', '='),
      )
    default:
      return []
  }
}

function* judgeLog({ name, words, text, at }: Directive): Generator<Finding> {
  if (
    name === 'loglevel' &&
    words.some((word) =>
      /^(?:(?:mod_)?(?:authnz_fcgi|setenvif|dumpio)(?:_module|\.c)?:)?trace[1-8]$/i.test(word),
    )
  ) {
    yield finding(
      'log-level',
      at,
      'At this level Apache writes what it sends to Watchword into its log: the secret, cookies and app passwords.',
      'Write: LogLevel warn',
    )
  }
  if (/^dumpio(?:input|output)$/.test(name) && words[0]?.toLowerCase() === 'on') {
    yield finding(
      'log-level',
      at,
      'Whole requests are logged, with cookies and app passwords.',
      `Write: ${name === 'dumpioinput' ? 'DumpIOInput' : 'DumpIOOutput'} Off`,
    )
  }
  const isFormat = /^(?:logformat|customlog|errorlogformat|transferlog|globallog)$/.test(name)
  if (
    isFormat &&
    /%[<>!,\d]*\{(?:(?:Proxy-)?Authorization|Cookie|Set-Cookie|WW_SECRET|HTTP_COOKIE|HTTP_AUTHORIZATION|REMOTE_PASSWD)\}/i.test(
      text,
    )
  ) {
    yield finding(
      'logged-secret',
      at,
      'Cookies, app passwords or the secret are written into a log: whoever reads it enters.',
      'Take that field out of the format.',
    )
  }
  if (name === 'forensiclog') {
    yield finding(
      'logged-secret',
      at,
      'The forensic log holds every header, cookies and app passwords too.',
      'Remove the line.',
    )
  }
}

/** mod_info prints the configuration, the secret included. */
function serverInfo({ nodes }: Host): Finding[] {
  return handlersIn(nodes, false)
}

function handlersIn(nodes: readonly Node[], isRestricted: boolean): Finding[] {
  const demands = directives(nodes, 'require').map(({ words }) => words.join(' ').toLowerCase())
  const restricted = demands.length === 0 ? isRestricted : !demands.includes('all granted')
  const here = directives(nodes, 'sethandler', 'addhandler').filter(
    ({ words }) => words[0]?.toLowerCase() === 'server-info',
  )
  return [
    ...(restricted
      ? []
      : here.map(({ at }) =>
          finding(
            'server-info',
            at,
            'server-info shows the configuration with the secret in it.',
            'Run: a2dismod info. Or write "Require local" there.',
          ),
        )),
    ...sections(nodes).flatMap((section) =>
      section.name === 'virtualhost' ? [] : handlersIn(section.nodes, restricted),
    ),
  ]
}
