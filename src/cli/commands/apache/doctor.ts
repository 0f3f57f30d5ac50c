import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Finding, finding } from '../../../apache/doctor/finding.ts'
import type { Host } from '../../../apache/doctor/hosts.ts'
import { inOrder, judge, viewOf } from '../../../apache/doctor/judge.ts'
import { type Probed, probe } from '../../../apache/doctor/live/probe.ts'
import type { DoctorSettings } from '../../../apache/doctor/view.ts'
import type { Config } from '../../../config/load.ts'
import { type ApacheAsked, readApache } from '../../apache-host.ts'
import { collected } from '../../arguments.ts'
import { ExitCode, Refusal, UsageError } from '../../exit-code.ts'
import { examples, type Handler } from '../../invocation.ts'
import { readConfig } from '../../open-services.ts'
import { done, print, printAside, printJson } from '../../terminal.ts'
import { filesOf } from './install.ts'

interface Options {
  readonly apachectl: string
  readonly serverRoot?: string
  readonly apacheConfig?: string
  readonly define?: readonly string[]
  readonly envvars?: string
  readonly static?: true
  readonly json?: true
}

/** `watchword apache doctor` */
export function declareApacheDoctor(command: Command): Handler {
  command
    .option('--apachectl <program>', 'what starts Apache', 'apachectl')
    .option('--server-root <folder>', 'where Apache looks for its files, as -d of Apache')
    .option('--apache-config <file>', 'the first file that Apache reads, as -f of Apache')
    .option('--define <name>', 'as -D of Apache; may be given several times', collected)
    .option('--envvars <file>', "variables of Apache's start (default: envvars in the folder of Apache)")
    .option('--static', 'read only, and ask no running server')
    .option(
      '--json',
      'for a program: {"places": […], "findings": [{"id", "severity", "file", "line", "what", "instead"}, …], "silent": […]}',
    )
  command.addHelpText(
    'after',
    '\nRun it as root: Apache reads as root. Exits with 1 when something is wrong. docs/apache.md explains each finding.',
  )
  examples(command, 'watchword apache doctor', 'watchword apache doctor --static --json')
  return async ({ configFile }) => {
    const options = command.opts<Options>()
    const config = await readConfig(configFile)
    const { configuration, machine, refused } = await readApache(askedBy(options))
    const view = viewOf(configuration, settingsOf(config), machine)
    const probed: Probed = options.static ? { findings: [], silent: [] } : await probe(view)
    const findings = inOrder([...refusals(refused), ...judge(view), ...probed.findings])
    return tell({ places: placesOf(view.hosts), findings, silent: probed.silent }, options)
  }
}

function askedBy({ apachectl, serverRoot, apacheConfig, define = [], envvars }: Options): ApacheAsked {
  return {
    apachectl,
    defines: define,
    serverRoot: serverRoot === undefined ? undefined : resolve(serverRoot),
    file: apacheConfig === undefined ? undefined : resolve(apacheConfig),
    envvars: envvars === undefined ? undefined : resolve(envvars),
  }
}

const refusals = (refused: string | undefined): Finding[] =>
  refused === undefined
    ? []
    : [
        finding(
          'configtest',
          undefined,
          `Apache does not take its configuration: ${refused}`,
          'Put that right first: apachectl configtest',
        ),
      ]

function settingsOf(config: Config): DoctorSettings {
  const { authorizer, listen } = config
  if (!existsSync(authorizer.secretFile)) {
    throw new Refusal('Watchword has made no secret for Apache yet. Run: watchword apache install')
  }
  const address = authorizer.balancer ?? authorizer.listen
  const known = {
    ...config,
    authorizer: { ...authorizer, listen: address.kind === 'tcp' ? address : nowhere },
  }
  return {
    authorizer: address.kind === 'tcp' ? address : undefined,
    origin: config.origin,
    returnOrigins: config.login.returnOrigins,
    own: listen.kind === 'unix' ? listen.path : `localhost:${listen.port}`,
    generate: (prefix, policy) => generate(known, prefix, policy),
  }
}

/** Where the authorizer is off, the files of policies can still be compared. */
const nowhere = { kind: 'tcp', host: '127.0.0.1', port: 9 } as const

/** As `watchword apache install` would; a group, or a folder, that cannot be has no files. */
function generate(config: Config, prefix: string, policy: string | undefined) {
  const group = policy?.startsWith('group-') ? [policy.slice('group-'.length)] : []
  try {
    return filesOf(config, prefix, group)
  } catch (error) {
    if (error instanceof UsageError) return []
    throw error
  }
}

interface PlaceShown {
  readonly host: string
  readonly section: string
  readonly policy: string
  readonly at: string
}

function placesOf(hosts: readonly Host[]): PlaceShown[] {
  return hosts
    .filter(({ isClosed }) => !isClosed)
    .flatMap(({ names, places }) =>
      places.map(({ section, policies }) => ({
        host: names[0] ?? '(no name)',
        section: `<${section.name} ${section.text}>`,
        policy: policies.at(-1) ?? '(written by hand)',
        at: `${section.at.file}:${section.at.line}`,
      })),
    )
}

interface Told {
  readonly places: readonly PlaceShown[]
  readonly findings: readonly Finding[]
  readonly silent: readonly string[]
}

function tell({ places, findings, silent }: Told, { json }: Options): ExitCode {
  if (json) {
    printJson({
      places,
      findings: findings.map(({ id, severity, at, what, instead }) => ({
        id,
        severity,
        file: at?.file ?? null,
        line: at?.line ?? null,
        what,
        instead,
      })),
      silent,
    })
  } else {
    for (const { id, severity, at, what, instead } of findings) {
      print(
        `${at === undefined ? '' : `${at.file}:${at.line}: `}${severity}: ${id}`,
        `  ${what}`,
        `  ${instead}`,
        '',
      )
    }
    if (silent.length > 0)
      printAside(`Not asked, or without an answer: ${silent.join(', ')}. Is Apache running?`)
    summarize(places, findings)
  }
  return findings.length === 0 ? ExitCode.done : ExitCode.refused
}

function summarize(places: readonly PlaceShown[], findings: readonly Finding[]): void {
  if (findings.length > 0) {
    const holes = findings.filter(({ severity }) => severity === 'hole').length
    print(
      `${holes} ${holes === 1 ? 'hole' : 'holes'}, ${findings.length - holes} other ${findings.length - holes === 1 ? 'fault' : 'faults'}.`,
    )
  } else if (places.length === 0) done('Apache asks Watchword nowhere: nothing is protected.')
  else
    done(
      `Nothing is wrong with what is protected:`,
      ...places.map(({ host, section, policy, at }) => `  ${host} ${section}: ${policy} (${at})`),
    )
}
