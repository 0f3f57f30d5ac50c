import { resolve } from 'node:path'
import type { Command } from 'commander'
import { noteCopy } from '../../actions/note-copy.ts'
import type { Config } from '../../config/load.ts'
import { keyFileText, readKeyFile } from '../../crypto/key-file.ts'
import { sealByPassphrase } from '../../crypto/passphrase.ts'
import { createSealer } from '../../crypto/sealer.ts'
import { readBackup, writeBackup } from '../../store/backup/file.ts'
import { openSnapshot } from '../../store/backup/snapshot.ts'
import { addForbidden } from '../arguments.ts'
import { Refusal, UsageError } from '../exit-code.ts'
import { examples, type Handler } from '../invocation.ts'
import { operator, withServices } from '../open-services.ts'
import { newPassphrase } from '../passphrase.ts'
import { rowProgress } from '../progress.ts'
import { done, printJson } from '../terminal.ts'

interface Options {
  readonly withKeys?: true
  readonly passphraseStdin?: true
  readonly json?: true
}

/** `watchword backup FILE` */
export function declareBackup(command: Command): Handler {
  command
    .argument('<file>', 'where to write it; a file that is there is not replaced')
    .option('--with-keys', 'put the key file in too, sealed by a passphrase')
    .option('--passphrase-stdin', 'with --with-keys: read the passphrase from standard input, one line')
    .option('--json', 'for a program: {"file", "made_at", "rows", "with_keys"}')
  addForbidden(command, '--passphrase')
  command.addHelpText(
    'after',
    '\nThe server may go on meanwhile. Without --with-keys the keys are not in it: keep a copy of the key file elsewhere.',
  )
  examples(
    command,
    'watchword backup /var/backups/watchword-$(date +%F).backup',
    'watchword backup whole.backup --with-keys',
  )
  return ({ args, configFile }) => {
    const options = command.opts<Options & { passphrase?: string }>()
    if (options.passphrase !== undefined) {
      throw new UsageError(
        'Every process of the machine can read what is on a command line. Use --passphrase-stdin.',
      )
    }
    const file = resolve(args[0] ?? '')
    return withServices(configFile, async (services, config) => {
      const { sealed, fingerprint } = await keysOf(config, options)
      const madeAt = services.now()
      await write(config, file, { madeAt, keyFingerprint: fingerprint, keys: sealed })
      // What cannot be read back is not a backup.
      const { rows } = await readBackup(file, () => undefined)
      await noteCopy(services, { event: 'backup-made', withKeys: sealed !== undefined }, operator())
      const total = [...rows.values()].reduce((sum, count) => sum + count, 0)
      if (options.json) {
        printJson({ file, made_at: madeAt, rows: Object.fromEntries(rows), with_keys: sealed !== undefined })
        return done()
      }
      return done(
        `${file} holds ${rows.get('user') ?? 0} users, ${total} rows in all, and was read back.`,
        sealed === undefined
          ? `The keys are not in it: without a copy of ${config.keyFile} nobody's codes can be checked.`
          : 'The keys are in it, sealed by the passphrase. Both together open every authenticator.',
      )
    })
  }
}

async function keysOf(
  config: Config,
  { withKeys, passphraseStdin }: Options,
): Promise<{ sealed: string | undefined; fingerprint: string }> {
  if (passphraseStdin && !withKeys) throw new UsageError('--passphrase-stdin goes with --with-keys.')
  const keys = readKeyFile(config.keyFile)
  if (keys === undefined) throw new Refusal(`${config.keyFile} is missing. Restore it from backup.`)
  const sealed = withKeys
    ? await sealByPassphrase(keyFileText(keys), await newPassphrase(passphraseStdin === true, 'the keys'))
    : undefined
  return { sealed, fingerprint: createSealer(keys).fingerprint() }
}

async function write(
  { database }: Config,
  file: string,
  header: Parameters<typeof writeBackup>[2],
): Promise<void> {
  const progress = rowProgress('Copied')
  const snapshot = await openSnapshot(database)
  try {
    await writeBackup(file, snapshot, header, progress.show)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Refusal(`${file} is there already and was left as it is. Give another name.`)
    }
    throw error
  } finally {
    progress.end()
    await snapshot.close()
  }
}
