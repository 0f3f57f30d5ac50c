import type { Command } from 'commander'
import { showSettings } from '../../config/show.ts'
import { examples, type Handler } from '../invocation.ts'
import { readConfig } from '../open-services.ts'
import { settingSources } from '../setting-sources.ts'
import { done, printJson, printTable } from '../terminal.ts'

/** `watchword config` */
export function declareConfig(command: Command): Handler {
  command.option('--json', 'for a program: {"settings": [{"name", "value", "source"}, …]}')
  command.addHelpText('after', '\nPasswords in the address of the database are hidden.')
  examples(command, 'watchword config', 'watchword config --config /etc/watchword/watchword.toml --json')
  return async ({ configFile }) => {
    const effective = showSettings(await readConfig(configFile))
    const sourceOf = settingSources({ cwd: process.cwd(), env: process.env, file: configFile })
    const rows = effective.map(({ name, value }) => ({ name, value, source: sourceOf(name) }))
    if (command.opts<{ json?: true }>().json) printJson({ settings: rows })
    else {
      printTable(
        ['SETTING', 'VALUE', 'FROM'],
        rows.map(({ name, value, source }) => [name, value, source]),
      )
    }
    return done()
  }
}
