import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/load.ts'
import { type KeyFile, keyFileFrom, readKeyFile } from '../../crypto/key-file.ts'
import { openByPassphrase } from '../../crypto/passphrase.ts'
import { createSealer } from '../../crypto/sealer.ts'
import { type BackupContents, type BackupHeader, readBackup } from '../../store/backup/file.ts'
import type { Settled } from '../../store/backup/settle.ts'
import { addForbidden } from '../arguments.ts'
import { addYes, confirmed } from '../confirmation.ts'
import { Refusal, UsageError } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'
import { readConfig } from '../open-services.ts'
import { knownPassphrase } from '../passphrase.ts'
import { type Restored, restoreInto } from '../restore-into.ts'
import { done, print, printJson } from '../terminal.ts'

interface Options {
  readonly dryRun?: true
  readonly withKeys?: true
  readonly passphraseStdin?: true
  readonly yes?: true
  readonly json?: true
}

/** `watchword restore FILE` */
export function declareRestore(command: Command): Handler {
  command
    .argument('<file>', 'what "watchword backup" wrote')
    .option('--dry-run', 'do all of it beside the database, say what it would undo, and change nothing')
    .option('--with-keys', 'also take the key file out of the backup, where there is none')
    .option('--passphrase-stdin', 'with --with-keys: read the passphrase from standard input, one line')
    .option('--json', 'for a program: {"made_at", "rows", "settled", "replaced"}')
  addYes(command)
  addForbidden(command, '--passphrase')
  command.addHelpText(
    'after',
    `
Stop the server first. Sessions end; invitations, logins and enrolments that were under way are gone. Against a
database that can still be read, what was used or taken away since the backup stays so; without one, recovery codes,
app passwords and counter-based devices are given up. The replaced file is kept beside the new one.`,
  )
  examples(command, 'watchword restore copy.backup --dry-run', 'watchword restore copy.backup')
  return async ({ args, configFile }) => {
    const options = command.opts<Options & { passphrase?: string }>()
    if (options.passphrase !== undefined) {
      throw new UsageError(
        'Every process of the machine can read what is on a command line. Use --passphrase-stdin.',
      )
    }
    const config = await readConfig(configFile)
    const file = resolve(args[0] ?? '')
    const contents = await readBackup(file, () => undefined)
    const keys = await keysFor(config, contents.header, options)
    if (!options.dryRun) {
      await confirmed(
        options,
        `Replace the database by the state of ${instant(contents.header.madeAt)}?`,
        'needs-yes',
      )
    }
    const restored = await restoreInto(config, file, {
      header: contents.header,
      keys,
      isRehearsal: options.dryRun === true,
    })
    return report(contents, restored, options)
  }
}

/** The keys that open the backup: those that are there, or those that it brings. */
async function keysFor(
  config: Config,
  header: BackupHeader,
  { withKeys, passphraseStdin }: Options,
): Promise<{ readonly file: KeyFile; readonly isNew: boolean }> {
  const there = readKeyFile(config.keyFile)
  if (there !== undefined) {
    if (createSealer(there).fingerprint() !== header.keyFingerprint) {
      throw new Refusal(
        `${config.keyFile} does not open this backup. Put the key file that belongs to it in its place.`,
      )
    }
    return { file: there, isNew: false }
  }
  if (!withKeys) {
    const how =
      header.keys === undefined
        ? 'It is not in the backup either: put your copy of it there.'
        : 'The backup brings it: add --with-keys.'
    throw new Refusal(`${config.keyFile} is missing, and the backup cannot be used without it. ${how}`)
  }
  if (header.keys === undefined)
    throw new Refusal('There are no keys in this backup. Put your copy of the key file in place.')
  const passphrase = await knownPassphrase(passphraseStdin === true, 'the keys')
  const file = keyFileFrom(config.keyFile, await openByPassphrase(header.keys, passphrase))
  if (createSealer(file).fingerprint() !== header.keyFingerprint) {
    throw new Refusal(
      'The keys in this backup are of another database. Put the key file that belongs to it in place.',
    )
  }
  return { file, isNew: true }
}

function report({ header, rows }: BackupContents, restored: Restored, { dryRun, json }: Options) {
  const { settled, knewLater, replaced } = restored
  if (json) {
    printJson({
      ...{ made_at: header.madeAt, rows: Object.fromEntries(rows), settled: named(settled) },
      ...{ compared: knewLater, replaced: replaced ?? null, dry_run: dryRun === true },
    })
    return done()
  }
  print(
    `${dryRun ? 'Would restore' : 'Restored'} the state of ${instant(header.madeAt)}: ${rows.get('user') ?? 0} users.`,
    ...sentencesOf(settled, knewLater),
  )
  if (dryRun) return done('Nothing was changed.')
  return done(
    ...(replaced === undefined ? [] : [`What was there before is kept as ${replaced}.`]),
    'Start the server again. What was done after the backup is not in the database, its audit log included.',
  )
}

const named = (settled: Settled) => ({
  ...{ sessions_and_browsers_ended: settled.ended, users_disabled: settled.disabledUsers },
  ...{ later_passwords_kept: settled.laterPasswords, devices: settled.devices },
  ...{ recovery_codes: settled.recoveryCodes, memberships: settled.memberships },
  ...{ app_passwords: settled.appPasswords, users_lost: settled.lostUsers },
  devices_lost: settled.lostDevices,
})

function sentencesOf(settled: Settled, knewLater: boolean): string[] {
  const counted: readonly (readonly [count: number, what: string])[] = knewLater
    ? [
        [settled.ended, 'sessions and known browsers ended'],
        [settled.disabledUsers, 'users disabled, because they were disabled or deleted since'],
        [settled.laterPasswords, 'passwords kept as they were changed since'],
        [settled.devices, 'devices left out, because they were removed since'],
        [settled.recoveryCodes, 'recovery codes left out, because they were used or replaced since'],
        [settled.memberships, 'group memberships left out, because they were taken away since'],
        [settled.appPasswords, 'app passwords left out, because they were revoked since'],
        [settled.lostUsers, 'users who were made since are gone'],
        [settled.lostDevices, 'devices that were added since are gone'],
      ]
    : [
        [settled.ended, 'sessions and known browsers ended'],
        [settled.recoveryCodes, 'recovery codes given up: each may have been used since'],
        [settled.appPasswords, 'app passwords given up: each may have been revoked since'],
        [settled.devices, 'counter-based devices disabled: add them again with the counter that they show'],
      ]
  const sentences = counted.filter(([count]) => count > 0).map(([count, what]) => `  ${count} ${what}`)
  if (knewLater) return sentences
  return [
    ...sentences,
    '  There is no database to compare with: users disabled, groups left and passwords changed since are as they were.',
  ]
}

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
