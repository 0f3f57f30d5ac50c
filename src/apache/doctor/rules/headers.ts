import { identityHeaders, spellings } from '../../guarded-headers.ts'
import { type Finding, finding } from '../finding.ts'
import type { Applied, Host } from '../hosts.ts'
import { beside, type Directive, directives, ownFile } from '../tree.ts'
import type { View } from '../view.ts'
import { laterThan } from './later.ts'

/** Headers on their way to an application: who is asking, what Apache drops, what is none of its business. */
export function judgeHeaders({ hosts }: View): Finding[] {
  return hosts.flatMap((host) => [
    ...host.places.flatMap((place) => [...judgePlace(host, place)]),
    ...(host.places.length > 0 ? judgeEarly(host) : []),
  ])
}

const isIdentity = (header: string): boolean => identity.has(header.toLowerCase().replaceAll('_', '-'))
const identity = new Set(identityHeaders.map((header) => header.toLowerCase()))

/** A value that Watchword's answer wrote. */
const ofWatchword =
  /^(?:expr=)?%\{(?:reqenv:)?(?:REMOTE_USER|REMOTE_GROUPS|WW_AMR|WW_USER_ID|WW_ASSERTION)\}[es]?$/

function* judgePlace(host: Host, place: Applied): Generator<Finding> {
  const here = [...beside(place.section.nodes)]
  const included = here.findLastIndex(
    (node) => node.kind === 'included' && ownFile(node.file)?.kind === 'place',
  )
  if (place.policies.length > 0) {
    for (const [index, node] of here.entries()) {
      if (node.kind !== 'directive' || node.name !== 'requestheader') continue
      yield* judgeLine(node, index > included, here)
    }
  }
  for (const { section, policies } of laterThan(host, place)) {
    if (policies.length > 0) continue
    for (const line of directives(section.nodes, 'requestheader'))
      yield* judgeLine(line, true, [...beside(section.nodes)])
  }
}

function* judgeLine(
  { words, at }: Directive,
  isAfter: boolean,
  around: readonly { readonly kind: string }[],
): Generator<Finding> {
  const [action = '', header = '', value = ''] = words
  const writes = !/^(?:unset|note)$/i.test(action)
  const name = header.toLowerCase()
  if (isIdentity(header)) yield* judgeIdentity({ at, header, value, writes, isAfter })
  else if (writes && /REMOTE_USER|WW_USER_ID/.test(value)) {
    const unset = (around as readonly Directive[])
      .filter(
        (node) =>
          node.kind === 'directive' &&
          node.name === 'requestheader' &&
          node.words[0]?.toLowerCase() === 'unset',
      )
      .map((node) => node.words[1]?.toLowerCase())
    const twins = spellings(header.replaceAll('_', '-')).filter(
      (twin) => twin !== header && !unset.includes(twin.toLowerCase()),
    )
    if (twins.length > 0) {
      yield finding(
        'header-twins',
        at,
        `A visitor may send ${twins[0]}, which many applications take for ${header}.`,
        `Before it write: ${twins.map((twin) => `RequestHeader unset ${twin}`).join(', ')}. Or use X-Remote-User.`,
      )
    }
  }
  if (name === 'connection' && writes && !/^(?:close|keep-alive|upgrade)$/i.test(value)) {
    yield finding(
      'connection-header',
      at,
      'What Connection names is taken out on the way to the application, X-Remote-User too.',
      'Remove the line: the included file keeps what an application needs.',
    )
  }
  if (name === 'cookie' && writes && /HTTP_COOKIE|req(?:_novary)?\(|http\(/i.test(value)) {
    yield finding(
      'cookie-header',
      at,
      'It puts the cookies of Watchword back, which the included file took out.',
      'Remove the line.',
    )
  }
  if (
    name === 'authorization' &&
    writes &&
    /HTTP_AUTHORIZATION|HTTP:Authorization|req(?:_novary)?\(/i.test(value)
  ) {
    yield finding(
      'pass-authorization',
      at,
      'It passes app passwords on to the application.',
      'Remove the line.',
    )
  }
}

interface IdentityLine {
  readonly at: Directive['at']
  readonly header: string
  readonly value: string
  readonly writes: boolean
  readonly isAfter: boolean
}

function* judgeIdentity({ at, header, value, writes, isAfter }: IdentityLine): Generator<Finding> {
  if (!writes) {
    if (isAfter && /^x-remote-(?:user|groups)$/i.test(header)) {
      yield finding(
        'identity-header',
        at,
        `${header} is unset after it was set: the application is told of nobody.`,
        'Remove the line.',
      )
    }
  } else if (!isAfter) {
    yield finding(
      'identity-header',
      at,
      `${header} is written before the included file unsets it.`,
      'Put the line after the Include.',
    )
  } else if (!ofWatchword.test(value)) {
    yield finding(
      'identity-header',
      at,
      `${header} gets a value that does not come from Watchword.`,
      `Write: RequestHeader set ${header} "expr=%{reqenv:REMOTE_USER}"`,
    )
  }
}

/** `early` is before anybody is known. */
function judgeEarly(host: Host): Finding[] {
  return directives(host.nodes, 'requestheader')
    .filter(({ words }) => words.at(-1)?.toLowerCase() === 'early')
    .flatMap(({ words: [action = '', header = ''], at }) => {
      const writes = !/^(?:unset|note)$/i.test(action)
      if (isIdentity(header) && writes) {
        return [
          finding(
            'identity-header',
            at,
            `With "early" ${header} is written before anybody is known.`,
            'Remove the line: the included file writes X-Remote-User when Watchword has answered.',
          ),
        ]
      }
      if (/^(?:cookie|authorization)$/i.test(header)) {
        return [
          finding(
            'cookie-header',
            at,
            `With "early" ${header} is changed before Watchword sees it: nobody enters.`,
            'Remove the line.',
          ),
        ]
      }
      return []
    })
}
