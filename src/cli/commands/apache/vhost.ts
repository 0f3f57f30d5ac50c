import type { Command } from 'commander'
import { vhostConfiguration } from '../../../apache/vhost.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readConfig } from '../../open-services.ts'
import { done } from '../../terminal.ts'
import { declareSite, type SiteOptions, siteOf, writing } from './site.ts'

/** `watchword apache vhost` */
export function declareApacheVhost(command: Command): Handler {
  declareSite(command)
  command.addHelpText('after', '\nApache passes requests on to where "listen" of the settings says.')
  examples(
    command,
    'watchword apache vhost --server-name auth.example.com --certificate /etc/ssl/auth.pem --key /etc/ssl/private/auth.key > /etc/apache2/sites-available/watchword.conf',
  )
  return async ({ configFile }) => {
    const { listen } = await readConfig(configFile)
    const site = { ...siteOf(command.opts<SiteOptions>()), backend: listen }
    return writing(() => done(...vhostConfiguration(site).trimEnd().split('\n')))
  }
}
