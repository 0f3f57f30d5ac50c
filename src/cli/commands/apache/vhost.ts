import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type VhostSite, vhostConfiguration } from '../../../apache/vhost.ts'
import { VhostError } from '../../../apache/vhost-values.ts'
import { wholeNumber } from '../../arguments.ts'
import { type ExitCode, UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readConfig } from '../../open-services.ts'
import { done } from '../../terminal.ts'

interface Options {
  readonly serverName: string
  readonly certificate: string
  readonly key: string
  readonly httpPort?: number
  readonly httpsPort?: number
}

/** `watchword apache vhost` */
export function declareApacheVhost(command: Command): Handler {
  const port = (option: string) => wholeNumber(option, 1, 65_535)
  command
    .requiredOption('--server-name <name>', 'the name that people type, such as auth.example.com')
    .requiredOption('--certificate <file>', 'certificate with its chain, PEM')
    .requiredOption('--key <file>', 'private key of the certificate, PEM')
    .option('--http-port <port>', 'port without TLS (default: 80)', port('--http-port'))
    .option('--https-port <port>', 'port with TLS (default: 443)', port('--https-port'))
  command.addHelpText('after', '\nApache passes requests on to where "listen" of the settings says.')
  examples(
    command,
    'watchword apache vhost --server-name auth.example.com --certificate /etc/ssl/auth.pem --key /etc/ssl/private/auth.key > /etc/apache2/sites-available/watchword.conf',
  )
  return async ({ configFile }) => {
    const options = command.opts<Options>()
    const { listen } = await readConfig(configFile)
    return write({
      serverName: options.serverName,
      certificate: resolve(options.certificate),
      key: resolve(options.key),
      backend: listen,
      ...(options.httpPort === undefined ? {} : { httpPort: options.httpPort }),
      ...(options.httpsPort === undefined ? {} : { httpsPort: options.httpsPort }),
    })
  }
}

function write(site: VhostSite): ExitCode {
  try {
    return done(...vhostConfiguration(site).trimEnd().split('\n'))
  } catch (cause) {
    if (!(cause instanceof VhostError)) throw cause
    throw new UsageError(asTyped(cause.message), { cause })
  }
}

/** The fields of the site under the names by which they are given here. */
function asTyped(message: string): string {
  return message
    .replace(/^serverName\b/, '--server-name')
    .replace(/^certificate\b/, '--certificate')
    .replace(/^key\b/, '--key')
    .replace(/\bhttpPort\b/, '--http-port')
    .replace(/\bhttpsPort\b/, '--https-port')
    .replace(/^backend(?:\.\w+)?/, 'listen (in the settings)')
}
