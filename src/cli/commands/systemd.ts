import type { Command } from 'commander'
import { examples, type Handler } from '../invocation.ts'
import { program, settingsOfService } from '../program.ts'
import { serviceUnit } from '../service-unit.ts'
import { done } from '../terminal.ts'

interface Options {
  readonly user: string
  readonly group: string
}

/** `watchword systemd` */
export function declareSystemd(command: Command): Handler {
  command
    .option('--user <name>', 'whom Watchword runs as', 'watchword')
    .option('--group <name>', "Apache's group, which may enter the folder of the socket", 'www-data')
  examples(
    command,
    'watchword --config /etc/watchword/watchword.toml systemd > /etc/systemd/system/watchword.service',
  )
  return async ({ configFile }) => {
    const { file, config } = settingsOfService(configFile)
    const unit = serviceUnit({ program, settings: file, config, ...command.opts<Options>() })
    return done(...unit.trimEnd().split('\n'))
  }
}
