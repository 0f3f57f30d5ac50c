import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type PassengerSite, passengerConfiguration } from '../../../apache/passenger.ts'
import { authorityOf } from '../../../apache/site.ts'
import { Refusal } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { program, settingsOfService } from '../../program.ts'
import { done } from '../../terminal.ts'
import { declareSite, type SiteOptions, siteOf, writing } from './site.ts'

interface Options extends SiteOptions {
  readonly user: string
  readonly group: string
}

/** `watchword apache passenger` */
export function declareApachePassenger(command: Command): Handler {
  declareSite(command)
    .option('--user <name>', 'whom Watchword runs as', 'watchword')
    .option('--group <name>', 'its group', 'watchword')
  command.addHelpText('after', '\n"listen" of the settings is not used: Passenger chooses the socket.')
  examples(
    command,
    'watchword --config /etc/watchword/watchword.toml apache passenger --server-name auth.example.com --certificate /etc/ssl/auth.pem --key /etc/ssl/private/auth.key > /etc/apache2/sites-available/watchword.conf',
  )
  return async ({ configFile }) => {
    const options = command.opts<Options>()
    const { file, config } = settingsOfService(configFile)
    const site: PassengerSite = {
      ...siteOf(options),
      root: program.root,
      node: program.node,
      settings: file,
      data: resolve(config.data),
      user: options.user,
      group: options.group,
      environment: { ...program.environment, NODE_OPTIONS: program.flags.join(' ') },
    }
    return writing(() => {
      const origin = `https://${authorityOf(site)}`
      if (config.origin !== origin) {
        throw new Refusal(`origin in ${file} is not the address of this site. Write: origin = "${origin}"`)
      }
      return done(...passengerConfiguration(site).trimEnd().split('\n'))
    })
  }
}
