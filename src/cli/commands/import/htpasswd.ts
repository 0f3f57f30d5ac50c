import type { Command } from 'commander'
import { readHtpasswd } from '../../../sources/htpasswd.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

/** `watchword import htpasswd` */
export function declareImportHtpasswd(command: Command): Handler {
  command.argument('<file>').option('--groups <file>', 'a group file, as of AuthGroupFile')
  addImportOptions(command)
  examples(
    command,
    'watchword import htpasswd /etc/apache2/.htpasswd --dry-run',
    'watchword import htpasswd /etc/apache2/.htpasswd --groups /etc/apache2/.htgroup',
  )
  return ({ args: [file = ''], configFile }) => {
    const { groups } = command.opts<{ groups?: string }>()
    return runImportCommand(command, configFile, 'htpasswd', readHtpasswd(file, groups))
  }
}
