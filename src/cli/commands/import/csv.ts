import type { Command } from 'commander'
import { csvColumns, readCsv } from '../../../sources/csv.ts'
import { addImportOptions, runImportCommand } from '../../import-command.ts'
import { examples, type Handler } from '../../invocation.ts'

/** `watchword import csv` */
export function declareImportCsv(command: Command): Handler {
  command.argument('<file>')
  addImportOptions(command)
  command.addHelpText('after', `\nThe first line names the columns, in any order: ${csvColumns.join(', ')}.`)
  examples(command, 'watchword import csv people.csv --dry-run')
  return ({ args: [file = ''], configFile }) => runImportCommand(command, configFile, 'csv', readCsv(file))
}
