import { isIP } from 'node:net'
import type { Command } from 'commander'
import {
  type AccessFacts,
  type AccessPolicy,
  type AccessReason,
  decideAccess,
} from '../../../domain/access.ts'
import { findShownUser } from '../../../store/views/show-user.ts'
import { oneOf, wholeNumber } from '../../arguments.ts'
import { UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { noSuchUser } from '../../sentences.ts'
import { done, refuse } from '../../terminal.ts'

interface Options {
  readonly user: string
  readonly policy: string
  readonly proof: (typeof proofs)[number]
  readonly age: number
  readonly address?: string
}

const proofs = ['two-factor', 'password', 'app-password', 'password-code'] as const

/** `watchword policy test` */
export function declarePolicyTest(command: Command): Handler {
  command
    .requiredOption('--user <username>', 'who would enter')
    .requiredOption('--policy <name>', 'the policy of the place')
    .option(
      '--proof <proof>',
      `what they would show: ${proofs.join(', ')}`,
      oneOf('--proof', proofs),
      'two-factor',
    )
    .option('--age <seconds>', 'how long ago they signed in', wholeNumber('--age', 0, 86_400), 0)
    .option('--address <address>', 'from where')
  command.addHelpText(
    'after',
    '\nEnds with 0 for allow and with 1 for deny. An app password must name the policy besides.\npassword-code is a password with a code right behind it, in one field.',
  )
  examples(
    command,
    'watchword policy test --user bob --policy group-staff',
    'watchword policy test --user bob --policy wiki --proof app-password --address 192.0.2.7',
  )
  return ({ configFile }) =>
    withServices(configFile, async ({ db, now: clock, policy: { accessPolicy } }) => {
      const options = command.opts<Options>()
      const policy = accessPolicy(options.policy)
      if (policy === undefined) {
        return refuse(
          `deny: there is no policy "${options.policy}"; those that there are: watchword policy list.`,
        )
      }
      const address = addressOf(options, policy)
      const now = clock()
      const user = await findShownUser(db, options.user, now)
      if (user === undefined) return refuse(noSuchUser(options.user))
      if (user.disabledAt !== undefined) return refuse(`deny: ${user.username} is disabled.`)
      const person = { username: user.username, groups: user.groups }
      const who: AccessFacts['who'] =
        options.proof === 'app-password'
          ? { ...person, by: 'app-password' }
          : { ...person, ...signedInBy(options.proof), authTime: now - options.age }
      const { kind, why } = decideAccess(policy, { who, address, now })
      const sentence = explain(why, policy)
      return kind === 'allow' ? done(`allow: ${sentence}`) : refuse(`${denials[kind]}: ${sentence}`)
    })
}

const signedInBy = (proof: 'two-factor' | 'password' | 'password-code') =>
  proof === 'password-code'
    ? ({ by: proof } as const)
    : ({
        by: 'session',
        amr: proof === 'two-factor' ? (['pwd', 'otp'] as const) : (['pwd'] as const),
      } as const)

function addressOf({ address }: Options, { networks, name }: AccessPolicy): string {
  if (address === undefined) {
    if (networks.length > 0) throw new UsageError(`${name} asks from where: add --address ADDRESS.`)
    return '127.0.0.1'
  }
  if (isIP(address) === 0) throw new UsageError(`--address is "${address}". Write an IP address.`)
  return address
}

const denials = {
  forbidden: 'deny',
  'sign-in': 'deny, and ask to sign in',
  'step-up': 'deny, and ask for a better proof',
} as const

function explain(why: AccessReason, { groups, users, within, access, name }: AccessPolicy): string {
  switch (why) {
    case 'all-conditions-hold':
      return 'every condition of the policy holds.'
    case 'address-outside':
      return 'the address is in none of its networks.'
    case 'nobody':
      return 'nobody is signed in.'
    case 'not-by-this-means':
      return `${name} takes ${access.join(' and ')} only.`
    case 'not-listed': {
      const listed = [...groups.map((group) => `the group ${group}`), ...users]
      return `the user is none of: ${listed.join(', ')}.`
    }
    case 'one-factor':
      return 'two factors are needed, and one was proven.'
    case 'proof-too-old':
      return `the sign-in is older than ${within} seconds.`
    case 'too-many-groups':
      return groups.length > 0
        ? 'the user is in more groups of the policy than an application can be told. Name fewer in it.'
        : `the user is in more groups than an application can be told. Use a policy that names the groups that count, under [policies.NAME].`
  }
}
