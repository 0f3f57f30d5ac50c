import { resolve } from 'node:path'
import type { Command } from 'commander'
import { balancedConfiguration } from '../../../apache/balancer.ts'
import { type VhostBackend, vhostConfiguration } from '../../../apache/vhost.ts'
import { parseListen } from '../../../config/values.ts'
import { UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readConfig } from '../../open-services.ts'
import { done } from '../../terminal.ts'
import { declareSite, type SiteOptions, siteOf, writing } from './site.ts'

interface Options extends SiteOptions {
  readonly node?: readonly VhostBackend[]
}

/** `watchword apache vhost` */
export function declareApacheVhost(command: Command): Handler {
  declareSite(command).option(
    '--node <address>',
    'a node behind this Apache, "host:port" or "unix:path" as its "listen"; given several times, any of them answers',
    (text, before: readonly VhostBackend[] = []) => [...before, nodeOf(text)],
  )
  command.addHelpText(
    'after',
    '\nWithout --node, Apache passes requests on to where "listen" of the settings says.',
  )
  examples(
    command,
    'watchword apache vhost --server-name auth.example.com --certificate /etc/ssl/auth.pem --key /etc/ssl/private/auth.key > /etc/apache2/sites-available/watchword.conf',
    'watchword apache vhost --node 10.0.0.11:8000 --node 10.0.0.12:8000 --server-name auth.example.com --certificate /etc/ssl/auth.pem --key /etc/ssl/private/auth.key',
  )
  return async ({ configFile }) => {
    const options = command.opts<Options>()
    const site = siteOf(options)
    const { listen } = await readConfig(configFile)
    return writing(() => {
      const text =
        options.node === undefined
          ? vhostConfiguration({ ...site, backend: listen })
          : balancedConfiguration({ ...site, nodes: options.node })
      return done(...text.trimEnd().split('\n'))
    })
  }
}

function nodeOf(text: string): VhostBackend {
  const address = parseListen(text, (why) => {
    throw new UsageError(`--node "${text}" ${why}.`)
  })
  return address.kind === 'unix' ? { ...address, path: resolve(address.path) } : address
}
