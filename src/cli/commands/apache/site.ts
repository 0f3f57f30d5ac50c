import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Site } from '../../../apache/site.ts'
import { VhostError } from '../../../apache/vhost-values.ts'
import { wholeNumber } from '../../arguments.ts'
import { type ExitCode, UsageError } from '../../exit-code.ts'

export interface SiteOptions {
  readonly serverName: string
  readonly certificate: string
  readonly key: string
  readonly httpPort?: number
  readonly httpsPort?: number
}

/** Adds the options that say which site is meant. */
export function declareSite(command: Command): Command {
  const port = (option: string) => wholeNumber(option, 1, 65_535)
  return command
    .requiredOption('--server-name <name>', 'the name that people type, such as auth.example.com')
    .requiredOption('--certificate <file>', 'certificate with its chain, PEM')
    .requiredOption('--key <file>', 'private key of the certificate, PEM')
    .option('--http-port <port>', 'port without TLS (default: 80)', port('--http-port'))
    .option('--https-port <port>', 'port with TLS (default: 443)', port('--https-port'))
}

export function siteOf({ serverName, certificate, key, httpPort, httpsPort }: SiteOptions): Site {
  return {
    serverName,
    certificate: resolve(certificate),
    key: resolve(key),
    ...(httpPort === undefined ? {} : { httpPort }),
    ...(httpsPort === undefined ? {} : { httpsPort }),
  }
}

/** Writes a site down; what cannot stand in Apache's configuration is told by the option that gave it. */
export function writing(write: () => ExitCode): ExitCode {
  try {
    return write()
  } catch (cause) {
    if (!(cause instanceof VhostError)) throw cause
    throw new UsageError(asTyped(cause.message), { cause })
  }
}

/** The fields of the site under the names by which they are given here. */
function asTyped(message: string): string {
  return message
    .replace(/^serverName\b/, '--server-name')
    .replace(/^(certificate|key|user|group)\b/, '--$1')
    .replace(/^nodes\b/, '--node')
    .replace(/^settings\b/, '--config')
    .replace(/^data\b/, 'data (in the settings)')
    .replace(/^(root|node)\b/, 'the folder of the program')
    .replace(/\bhttpPort\b/, '--http-port')
    .replace(/\bhttpsPort\b/, '--https-port')
    .replace(/^backend(?:\.\w+)?/, 'listen (in the settings)')
}
