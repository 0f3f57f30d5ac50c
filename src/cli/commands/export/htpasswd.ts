import type { Command } from 'commander'
import { type ExportedUser, exportUsers } from '../../../actions/export-users.ts'
import { htpasswdHash } from '../../../domain/password/htpasswd-hash.ts'
import { hashFormat } from '../../../domain/password/old-hash.ts'
import { ExitCode } from '../../exit-code.ts'
import { withOutput } from '../../export-output.ts'
import { examples, type Handler } from '../../invocation.ts'
import { operator, withServices } from '../../open-services.ts'
import { printAside } from '../../terminal.ts'

/** `watchword export htpasswd` */
export function declareExportHtpasswd(command: Command): Handler {
  command.option('--output <file>', 'where to write it; a file that is there is not replaced')
  command.addHelpText(
    'after',
    '\nA password file has no second factor: where Apache asks it, the password alone opens. It holds hashes that were\nimported and not yet replaced at a sign-in; argon2id is unknown to Apache. Who is left out is said on standard error.',
  )
  examples(command, 'watchword export htpasswd --output htpasswd')
  return ({ configFile }) =>
    withServices(configFile, async (services) => {
      let written = 0
      let leftOut = 0
      await withOutput(options(command).output, (write) =>
        exportUsers(services, { format: 'htpasswd' }, operator(), async (users) => {
          const lines = users.flatMap((user) => {
            const line = lineOf(user)
            if ('text' in line) return [line.text]
            leftOut++
            printAside(`${user.username} is left out: ${line.because}`)
            return []
          })
          written += lines.length
          await write(lines)
        }),
      )
      printAside(
        `Written: ${written}, left out: ${leftOut}. A password file has no second factor: where Apache asks it, the password alone opens.`,
      )
      return ExitCode.done
    })
}

const options = (command: Command) => command.opts<{ readonly output?: string }>()

function lineOf({ username, disabled, password }: ExportedUser): { text: string } | { because: string } {
  if (disabled) return { because: 'is disabled' }
  if (password === undefined) return { because: 'has no password' }
  if (password.mustChange) return { because: 'has to choose a new password first' }
  const hash = htpasswdHash(password.hash)
  if (hash !== undefined) return { text: `${username}:${hash}` }
  return { because: `Apache does not understand ${hashFormat(password.hash)}` }
}
