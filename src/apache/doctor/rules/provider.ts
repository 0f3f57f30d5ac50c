import { demandOf, satisfyAny } from '../authz.ts'
import { type Finding, finding } from '../finding.ts'
import { type Directive, deep, directives, type Node, sections } from '../tree.ts'
import type { View } from '../view.ts'

const instead = 'Include watchword/protect-NAME.conf in place of these lines.'

/** Places that ask Watchword by lines of their own, or were meant to. */
export function judgeByHand({ hosts, configuration, settings }: View): Finding[] {
  const written = hosts.flatMap(({ sections }) => sections).filter(({ policies }) => policies.length === 0)
  const whole = hosts.map(({ nodes }) => nodes)
  return [
    ...written.flatMap(({ section }) => [...judgeLines(section.nodes, section.at)]),
    ...whole.flatMap((nodes) => [...judgeLines(nodes, undefined)]),
    ...providersIn(configuration.nodes).flatMap((line) => [...judgeDefinition(line, settings.authorizer)]),
  ]
}

function* judgeLines(nodes: readonly Node[], section: Directive['at'] | undefined): Generator<Finding> {
  const type = directives(nodes, 'authtype').at(-1)
  const isOurs = type?.words[0]?.toLowerCase() === 'watchword'
  const names = directives(nodes, 'setenvif', 'setenvifnocase', 'setenvifexpr').find(({ text }) =>
    /WW_POLICY=/.test(text),
  )
  const checks = directives(nodes, 'authnzfcgicheckauthnprovider')
  const at = checks[0]?.at ?? names?.at ?? (isOurs ? type?.at : undefined)
  if (at === undefined) return
  if (checks.length === 0) {
    yield finding(
      'not-included',
      at,
      'This looks protected, and nobody asks Watchword: the file of a policy is not included.',
      instead,
    )
    return
  }
  yield finding('hand-written', at, 'These lines are a copy, which no release brings up to date.', instead)
  yield* judgeProvider(nodes)
  if (type === undefined || !isOurs) {
    yield finding(
      'auth-type',
      type?.at ?? at,
      'Without "AuthType Watchword" the lines of Watchword are not the ones that count.',
      instead,
    )
  } else if (directives(nodes, 'authname').length === 0) {
    yield finding('auth-type', at, 'AuthName is missing: Apache answers 500.', instead)
  }
  if (names === undefined)
    yield finding('unknown-policy', at, 'No policy is named (WW_POLICY): nobody enters.', instead)
  const satisfy = satisfyAny(nodes)
  if (satisfy !== undefined)
    yield finding(
      'satisfy-any',
      satisfy.at,
      'With "Satisfy Any" whoever may come by address needs no sign-in.',
      'Remove the line.',
    )
  const requires = directives(nodes, 'require')
  const demand = demandOf(nodes)
  if (demand === 'none')
    yield finding(
      'require-missing',
      section ?? at,
      'Nothing is required: Apache asks nobody and serves.',
      instead,
    )
  if (demand === 'open') {
    yield finding(
      'require-beside',
      requires[0]?.at ?? at,
      'A Require passes without a user, and one that passes is enough.',
      instead,
    )
  }
  for (const limit of sections(nodes, 'limit', 'limitexcept')) {
    yield finding(
      'limit',
      limit.at,
      'What stands here holds for some methods only: others pass without it.',
      'Remove <Limit> and <LimitExcept>.',
    )
  }
  yield* judgeHeaders(nodes, at)
}

function* judgeHeaders(nodes: readonly Node[], at: Directive['at']): Generator<Finding> {
  const lines = directives(nodes, 'requestheader')
  const unsets = lines
    .filter(({ words }) => words[0]?.toLowerCase() === 'unset')
    .map(({ words }) => words[1]?.toLowerCase())
  if (!unsets.includes('x_remote_user') || !unsets.includes('x-remote_user')) {
    yield finding(
      'header-twins',
      at,
      'X_Remote_User and its like are not unset: an application that folds names into variables takes the visitor for whoever they say.',
      instead,
    )
  }
  if (!lines.some(({ words }) => words[1]?.toLowerCase() === 'connection')) {
    yield finding(
      'connection-header',
      at,
      'Connection is passed as it came: "Connection: close, X-Remote-User" takes the name of the user away on the way to the application.',
      instead,
    )
  }
  if (!lines.some(({ words, text }) => words[1]?.toLowerCase() === 'cookie' && /watchword/i.test(text))) {
    yield finding('cookie-header', at, 'The cookies of Watchword reach the application.', instead)
  }
}

/** `AuthnzFcgiCheckAuthnProvider` that stands here: the name, `Authoritative` and who the user is. */
export function* judgeProvider(nodes: readonly Node[]): Generator<Finding> {
  for (const { at, words } of directives(nodes, 'authnzfcgicheckauthnprovider')) {
    const [name = '', ...options] = words.map((word) => word.toLowerCase())
    const given = (option: string) => options[options.indexOf(option.toLowerCase()) + 1]
    if (name !== 'watchword') {
      yield finding(
        'wrong-provider',
        at,
        name === 'none' ? 'None takes the check away.' : `"${name}" is not the provider that asks Watchword.`,
        instead,
      )
    }
    if (options.includes('authoritative') && given('Authoritative') === 'off') {
      yield finding(
        'authoritative-off',
        at,
        'With "Authoritative Off" a refusal of Watchword is not the last word.',
        'Write: Authoritative On',
      )
    }
    if (!options.includes('userexpr') || options.includes('defaultuser')) {
      yield finding(
        'user-expression',
        at,
        'Who the user is must come from the answer of Watchword alone.',
        'Write: UserExpr "%{reqenv:REMOTE_USER}" and no DefaultUser.',
      )
    } else if (!/^%\{reqenv:remote_user\}$/.test(given('UserExpr') ?? '')) {
      yield finding(
        'user-expression',
        at,
        'The user is taken from something that Watchword does not write.',
        'Write: UserExpr "%{reqenv:REMOTE_USER}"',
      )
    }
    if (given('RequireBasicAuth') === 'on' && options.includes('requirebasicauth')) {
      yield finding(
        'wrong-provider',
        at,
        'With "RequireBasicAuth On" browsers are asked for a password by Apache.',
        'Write: RequireBasicAuth Off',
      )
    }
  }
}

function providersIn(nodes: readonly Node[]): Directive[] {
  const own = [...deep(nodes)]
  const hosts = sections(nodes, 'virtualhost').flatMap((host) => [...deep(host.nodes)])
  return [...own, ...hosts].filter(({ name, words }) => {
    return name === 'authnzfcgidefineprovider' && words[1]?.toLowerCase() === 'watchword'
  })
}

function* judgeDefinition(
  { at, words }: Directive,
  authorizer: View['settings']['authorizer'],
): Generator<Finding> {
  const [type = '', , address = ''] = words
  const target = URL.parse(address)
  const host = target?.hostname.replaceAll(/[[\]]/g, '')
  const again =
    'Include watchword-authorizer.conf, as "watchword apache install" writes it, in place of this line.'
  if (type.toLowerCase() !== 'authn') {
    yield finding(
      'wrong-provider',
      at,
      `The provider is of the kind "${type}"; Watchword answers as authn.`,
      again,
    )
  }
  if (host !== authorizer?.host || Number(target?.port) !== authorizer?.port) {
    yield finding(
      'authorizer-address',
      at,
      `Apache asks ${address}, where Watchword does not listen: whoever does decides who enters, and gets the secret.`,
      again,
    )
  } else {
    yield finding('hand-written', at, 'The authorizer is named a second time.', again)
  }
}
