import { readdirSync, readFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { startApache } from '../../test/support/apache.ts'
import { freePort } from '../../test/support/free-port.ts'
import { runWatchword } from '../../test/support/watchword.ts'
import { newText } from '../support/new-text.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { searchFor } from '../support/secret-search.ts'
import { mixedLoad } from '../support/town/load.ts'
import { count } from '../support/town/settle.ts'
import { foundTown, type Town } from '../support/town/town.ts'
import type { Round, Stage, Trial } from '../support/trial.ts'

const DEEDS = 150

/** Every secret of a town, looked for wherever it must not be. */
export const markedSecrets: Trial = {
  id: 'FT-LEAK-1',
  name: 'marked-secrets',
  holds:
    'No password, key, recovery code, token or code is in a log of ours or of Apache at level debug, in the database, a backup, an answer to another, or a list of processes (I6).',
  rounds: `times ${DEEDS} deeds, looked through`,
  sizes: { ci: 1, soak: 300, release: 300 },
  needs: [
    'acknowledged',
    'secrets',
    'texts looked through',
    'backups looked through',
    'processes looked through',
  ],
  patience: 300,
  begin,
}

interface Watched {
  readonly town: Town
  /** What was logged, and what was answered, since it was asked for last. */
  readonly ownLog: () => string
  readonly apacheLogs: () => string
  readonly answers: () => string
  close(): Promise<void>
}

async function begin({ folder }: Stage) {
  const random = seededRandom('marked-secrets', folder)
  const watched = await startWatched(join(folder, 'town'), random)
  return {
    round: (number: number, chance: Random) => oneRound(watched, number, chance),
    async end() {
      await watched.close()
      return undefined
    },
  }
}

async function startWatched(folder: string, random: Random): Promise<Watched> {
  const port = await freePort()
  const town = await foundTown({
    ...{ folder, people: 60, newcomers: 30, random },
    env: { WATCHWORD_LISTEN: `127.0.0.1:${port}`, WATCHWORD_LOG_LEVEL: 'debug' },
  })
  const node = await town.start('least')
  const apache = await startApache({
    extra: 'LogLevel debug',
    vhost: ({ httpPort }) => `
<VirtualHost *:${httpPort}>
  ServerName auth.example.com
  ProxyPreserveHost On
  ProxyPass "/" "http://127.0.0.1:${port}/" retry=0
</VirtualHost>`,
  })
  const recorder = await startRecorder(apache.httpPort)
  const seen = { ...node, port: recorder.port }
  const apacheLogs = ['error.log', 'access.log'].map((name) => newText(join(apache.folder, name)))
  return {
    town: { ...town, nodes: [seen], node: () => seen },
    ownLog: newText(town.log),
    apacheLogs: () => apacheLogs.map((more) => more()).join('\n'),
    answers: recorder.taken,
    async close() {
      node.agent.destroy()
      await recorder.stop()
      await apache.stop()
      await town.close()
    },
  }
}

/** Passes connections on and keeps a copy of what is answered. */
async function startRecorder(to: number) {
  let text = ''
  const open = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const target = net.connect(to, '127.0.0.1')
    for (const socket of [client, target]) {
      open.add(socket)
      socket.on('error', () => client.destroy()).on('close', () => open.delete(socket))
    }
    client.pipe(target).pipe(client)
    target.on('data', (part: Buffer) => {
      text += part.toString('latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    taken() {
      const all = text
      text = ''
      return all
    },
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function oneRound(watched: Watched, number: number, random: Random): Promise<Round> {
  const { town } = watched
  await town.wakeAdmin()
  const load = mixedLoad(town, { random, lanes: 4 })
  await load.answered(DEEDS)
  const found = await load.stop()
  const passphrase = `passphrase-${random.bytes(12).toString('hex')}`
  const secrets = secretsOf(town).set(passphrase, 'passphrase')
  const search = searchFor(secrets.keys())
  found.counts.secrets = secrets.size
  const look = (where: string, text: string) => {
    count(found.counts, 'texts looked through')
    for (const secret of search(text)) found.violations.push(`a ${secrets.get(secret)} is in ${where}`)
  }
  look('our log', watched.ownLog())
  look('a log of Apache', watched.apacheLogs())
  look('an answer that does not give it', withoutGifts(watched.answers()))
  for (const file of databaseFiles(town)) look('the database', readFileSync(file, 'latin1'))

  const backup = join(town.folder, `backup-${number}`)
  const making = runWatchword(town.folder, { ...process.env, ...town.env } as Record<string, string>, {
    args: ['backup', backup, '--with-keys', '--passphrase-stdin'],
    stdin: `${passphrase}\n`,
  })
  for (const text of await processesWhile(making)) {
    count(found.counts, 'processes looked through')
    for (const secret of search(text))
      found.violations.push(`a ${secrets.get(secret)} is in the list of processes`)
  }
  look('a backup', plainText(readFileSync(backup)))
  count(found.counts, 'backups looked through')
  return found
}

/** Everything that only its owner may see, by what it is; in each spelling in which it may stand. */
function secretsOf({ people }: Town): Map<string, string> {
  const secrets = new Map<string, string>()
  for (const { world, ended, spent } of people) {
    if (world.password !== '') {
      secrets.set(world.password, 'password')
      secrets.set(encodeURIComponent(world.password), 'password')
    }
    for (const { token } of world.sessions) secrets.set(token, 'session token')
    for (const token of ended) secrets.set(token, 'session token')
    for (const { key } of world.devices)
      for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const)
        secrets.set(Buffer.from(key).toString(encoding), 'key')
    for (const code of [...world.recoveryCodes, ...spent.map(({ text }) => text)]) {
      // Six digits alone are in every log; a code would stand by itself in a text.
      if (code.length <= 8)
        for (const text of [`"${code}"`, `=${code}&`, `:${code},`]) secrets.set(text, 'code')
      else for (const text of [code, code.replaceAll('-', '').slice(1)]) secrets.set(text, 'recovery code')
    }
  }
  return secrets
}

/** Answers without cookies and without what is shown once to its owner. */
const withoutGifts = (text: string): string =>
  text
    .replaceAll(/^set-cookie: .*$/gim, '')
    .replaceAll(/"(?:shared_secret|otpauth_uri|qr_svg|app_password|invitation_link)":"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/"recovery_codes":\[[^\]]*\]/g, '')

function databaseFiles({ env }: Town): string[] {
  const data = env.WATCHWORD_DATA ?? ''
  return readdirSync(data)
    .filter((name) => /\.(?:db|sqlite)|-wal$|-shm$/.test(name))
    .map((name) => join(data, name))
}

/** A backup as anybody reads it who has the file. */
function plainText(bytes: Buffer): string {
  const start = bytes.indexOf(Buffer.from([0x1f, 0x8b, 0x08]))
  return start < 0 ? bytes.toString('latin1') : gunzipSync(bytes.subarray(start)).toString('latin1')
}

/** What the machine tells everybody of its processes, and to their owner, until something is done. */
async function processesWhile(work: Promise<unknown>): Promise<Set<string>> {
  const texts = new Set<string>()
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    for (const pid of readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && name !== String(process.pid),
    )) {
      for (const file of ['cmdline', 'environ']) texts.add(textOf(`/proc/${pid}/${file}`))
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await done
  return texts
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // It has ended, or is a thread of the kernel.
  }
}
