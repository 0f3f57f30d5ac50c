import type { Command } from 'commander'
import { type ListedUser, listUsers, userFilters } from '../../../store/views/list-users.ts'
import { oneOf, wholeNumber } from '../../arguments.ts'
import { isoInstant, showInstant } from '../../instant.ts'
import { examples, type Handler } from '../../invocation.ts'
import { withServices } from '../../open-services.ts'
import { done, printAside, printJson, printTable } from '../../terminal.ts'

interface Options {
  readonly json?: true
  readonly search?: string
  readonly filter?: (typeof userFilters)[number]
  readonly group?: string
  readonly limit: number
  readonly after?: string
}

/** `watchword user list` */
export function declareUserList(command: Command): Handler {
  command
    .option('--search <text>', 'part of the username or the display name')
    .option('--filter <which>', `only these: ${userFilters.join(', ')}`, oneOf('--filter', userFilters))
    .option('--group <group>', 'only members of this group')
    .option('--limit <number>', 'how many at most', wholeNumber('--limit', 1, 1000), 50)
    .option('--after <username>', 'go on after this one')
    .option('--json', 'for a program: {"users": […], "next": what to give to --after, or null}')
  examples(
    command,
    'watchword user list --filter no-second-factor',
    'watchword user list --json --limit 1000 --after bob',
  )
  return ({ configFile }) =>
    withServices(configFile, async ({ db }) => {
      const options = command.opts<Options>()
      const { users, more } = await listUsers(db, options)
      const next = more ? (users.at(-1)?.username ?? null) : null
      if (options.json) {
        printJson({ users: users.map(jsonOf), next })
        return done()
      }
      printTable(['USERNAME', 'NAME', 'STATE', 'CODE', 'LAST SIGN-IN'], users.map(rowOf))
      if (next !== null) printAside(`There are more. Go on with: --after ${next}`)
      return done()
    })
}

const rowOf = (user: ListedUser): string[] => [
  user.username,
  user.displayName,
  [
    user.disabled ? 'disabled' : 'active',
    ...(user.isSuperuser ? ['superuser'] : []),
    ...(user.hasPassword ? [] : ['no password']),
  ].join(', '),
  user.hasUsableDevice ? 'yes' : 'no',
  showInstant(user.lastSignInAt),
]

const jsonOf = (user: ListedUser) => ({
  username: user.username,
  display_name: user.displayName,
  superuser: user.isSuperuser,
  disabled: user.disabled,
  has_password: user.hasPassword,
  has_usable_device: user.hasUsableDevice,
  created_at: isoInstant(user.createdAt),
  last_sign_in_at: user.lastSignInAt === undefined ? null : isoInstant(user.lastSignInAt),
})
