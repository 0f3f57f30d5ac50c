import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { type ApacheFile, protectionFiles } from '../../../apache/protect.ts'
import { VhostError } from '../../../apache/vhost-values.ts'
import type { Config } from '../../../config/load.ts'
import { readCallerSecret } from '../../../crypto/caller-secret.ts'
import { type AccessPolicy, builtInPolicies, findPolicy } from '../../../domain/access.ts'
import { collected } from '../../arguments.ts'
import { Refusal, UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readConfig } from '../../open-services.ts'
import { done } from '../../terminal.ts'

interface Options {
  readonly prefix: string
  readonly group?: readonly string[]
}

/** `watchword apache install` */
export function declareApacheInstall(command: Command): Handler {
  command
    .option('--prefix <folder>', "Apache's folder", '/etc/apache2')
    .option('--group <name>', 'write protect-group-NAME.conf too; may be given several times', collected)
  command.addHelpText(
    'after',
    '\nWrites PREFIX/conf-available/watchword-authorizer.conf and PREFIX/watchword/. Run it again after a change of the settings.',
  )
  examples(command, 'watchword apache install --group staff', 'watchword apache install --prefix /etc/httpd')
  return async ({ configFile }) => {
    const { prefix, group: groups = [] } = command.opts<Options>()
    const config = await readConfig(configFile)
    const files = filesOf(config, resolve(prefix), groups)
    for (const file of files) write(file)
    return done(
      ...files.map(({ path }) => path),
      'Next: a2enmod authnz_fcgi headers && a2enconf watchword-authorizer, list the hosts in login.return_origins,',
      'and put "Include watchword/protect-two-factor.conf" (or another of these) into the <Location> to protect.',
    )
  }
}

/** What is written for the settings in force, the files of these groups included. */
export function filesOf(config: Config, prefix: string, groups: readonly string[]): readonly ApacheFile[] {
  const { listen, balancer = listen, secretFile, leaseDirectory } = config.authorizer
  if (balancer.kind === 'off' || balancer.port === 0) {
    throw new Refusal('Apache has nobody to ask: give authorizer.listen an address with a port, and restart.')
  }
  const policies = [...builtInPolicies, ...groups.map(policyOfGroup), ...ownPolicies(config)]
  try {
    const secret = readCallerSecret(secretFile)
    return protectionFiles({ prefix, authorizer: balancer, secret, policies, leaseDirectory })
  } catch (cause) {
    if (!(cause instanceof VhostError)) throw cause
    throw new UsageError(cause.message.replace(/^prefix\b/, '--prefix'), { cause })
  }
}

function policyOfGroup(name: string): AccessPolicy {
  const policy = findPolicy(`group-${name}`, new Map())
  if (policy !== undefined) return policy
  throw new UsageError(`--group is "${name}". Write the name of a group, of at most 58 characters.`)
}

const ownPolicies = ({ policies }: Config) =>
  Object.entries(policies).map(([name, policy]) => ({ name, ...policy }))

/** Whole under another name first: Apache may read at any moment, and the secret must never have been readable. */
function write({ path, text, mode }: ApacheFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  const next = `${path}.${process.pid}.new`
  rmSync(next, { force: true })
  writeFileSync(next, text, { mode, flag: 'wx' })
  chmodSync(next, mode)
  renameSync(next, path)
}
