import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { misused } from './expect.ts'
import { type Place, place } from './watchword.ts'

/** Prints the unit for settings of these lines. */
async function unitFor({ folder, runWords }: Place, settings: readonly string[], ...options: string[]) {
  const file = join(folder, 'service.toml')
  writeFileSync(file, `${settings.join('\n')}\n`)
  return runWords(['--config', file, 'systemd', ...options])
}

const usual = [
  'listen = "unix:/run/watchword/watchword.sock"',
  'origin = "https://auth.example.com"',
  'data = "/var/lib/watchword"',
]

test('the unit for systemd is one that systemd takes, and finds well locked in (SEC-PXY-1)', async (t) => {
  const here = place(t)
  const { code, stdout, stderr } = await unitFor(here, usual)
  assert.equal(code, 0, stderr)
  const unit = join(here.folder, 'watchword.service')
  writeFileSync(unit, stdout)
  const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
  const complaints = verified.stderr.split('\n').filter((line) => line.includes('watchword.service'))
  assert.deepEqual([verified.status, complaints], [0, []])
  // Tenths; what has no protection at all has 96.
  execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit])
  assert.doesNotMatch(stdout, /^ReadWritePaths/m)
  assert.match(stdout, /^RuntimeDirectoryMode=0750$/m)
})

test('the unit lets the server write where the settings send it', async (t) => {
  const settings = [
    ...usual.slice(0, 2),
    'data = "/srv/watchword"',
    'key_file = "/etc/watchword/keys/keys.json"',
    '[authorizer]',
    'lease_directory = "/run/leases/watchword"',
  ]
  const { stdout } = await unitFor(place(t), settings, '--user', 'auth', '--group', 'apache')
  const folders = [...stdout.matchAll(/^ReadWritePaths=(.*)$/gm)].map(([, folder]) => folder)
  assert.deepEqual(folders, ['/srv/watchword', '/etc/watchword/keys', '/run/leases'])
  assert.match(stdout, /^User=auth\nGroup=apache$/m)
})

test('the unit lets the server take ports that other users of the machine cannot, where the settings name one (SEC-FCGI-5)', async (t) => {
  const here = place(t)
  const capabilities = async (...more: readonly string[]) =>
    [
      ...(await unitFor(here, [...usual, ...more])).stdout.matchAll(
        /^(?:CapabilityBoundingSet|AmbientCapabilities)=(.*)$/gm,
      ),
    ].map(([, given]) => given)
  assert.deepEqual(await capabilities('[authorizer]', 'listen = "127.0.0.1:9001"'), ['', ''])
  const reserved = await capabilities('[authorizer]', 'listen = "127.0.0.1:901"')
  assert.deepEqual(reserved, ['CAP_NET_BIND_SERVICE', 'CAP_NET_BIND_SERVICE'])
})

test('the unit is refused where a name or a path would be read as something else', async (t) => {
  const here = place(t)
  misused(await here.run('systemd'), /--config/)
  misused(await unitFor(here, usual, '--user', 'root%n'), /--user/)
  misused(await unitFor(here, [...usual.slice(0, 2), 'data = "/srv/%h"']), /\/srv\/%h cannot stand in a unit/)
})

test('what the unit starts is the server, with nothing of our environment', async (t) => {
  const here = place(t)
  const { stdout } = await unitFor(here, [
    'listen = "127.0.0.1:0"',
    'origin = "https://a.example.com"',
    'data = "data"',
    '[authorizer]',
    'listen = "off"',
  ])
  const [program = '', ...words] = /^ExecStart=(.*)$/m.exec(stdout)?.[1]?.split(' ') ?? []
  const cwd = /^WorkingDirectory=(.*)$/m.exec(stdout)?.[1]
  const child = spawn(program, words, { cwd, env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  assert.match(line, /^Watchword is ready at /)
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})
