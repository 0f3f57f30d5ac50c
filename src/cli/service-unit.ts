import { dirname } from 'node:path'
import type { Config } from '../config/load.ts'
import { UsageError } from './exit-code.ts'
import type { Program } from './program.ts'

/** What the unit of the server is written from. */
export interface Service {
  readonly program: Pick<Program, 'root' | 'node'>
  /** The settings file, and what it says. */
  readonly settings: string
  readonly config: Config
  readonly user: string
  /** Apache's: whoever is in it may enter the folder of the socket. */
  readonly group: string
}

/** What systemd makes for the service: one folder that Apache may enter and that ends with it, and one that stays. */
const runtimeFolder = '/run/watchword'
const stateFolder = '/var/lib/watchword'

/**
 * The unit by which systemd runs the server (systemd.service(5), systemd.exec(5)).
 *
 * @throws UsageError for a path or a name that would have to be escaped there.
 */
export function serviceUnit({ program, settings, config, user, group }: Service): string {
  const root = plainPath(program.root)
  // Other users of the machine cannot take such a port while the server is not there.
  const capability = hasReservedPort(config) ? 'CAP_NET_BIND_SERVICE' : ''
  const others = foldersWritten(config).filter((folder) => !isWithin(folder, [runtimeFolder, stateFolder]))
  return `\
# Watchword, run by systemd. Printed by "watchword systemd": print it again rather than edit it, and put what is
# your own into a drop-in (systemctl edit watchword).

[Unit]
Description=Watchword
After=network.target postgresql.service
# Tried again for as long as it takes: a door that stays shut until somebody comes is no safer.
StartLimitIntervalSec=0

[Service]
User=${account('--user', user)}
Group=${account('--group', group)}
WorkingDirectory=${root}
ExecStart=${plainPath(program.node)} ${root}/bin/watchword.js serve --config ${plainPath(settings)}
Restart=on-failure
RestartSec=1
# Settings that do not fit do not fit a second later either.
RestartPreventExitStatus=2
TimeoutStopSec=30

# ${runtimeFolder}, which Apache may enter and which goes when Watchword does, and ${stateFolder}, which is its own.
RuntimeDirectory=watchword
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=no
StateDirectory=watchword
StateDirectoryMode=0700
${others.map((folder) => `ReadWritePaths=${plainPath(folder)}\n`).join('')}\
UMask=0077

# No MemoryDenyWriteExecute: Node writes the machine code that it runs.
NoNewPrivileges=yes
CapabilityBoundingSet=${capability}
AmbientCapabilities=${capability}
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
LimitCORE=0

[Install]
WantedBy=multi-user.target
`
}

/** Whether it waits at a port that Linux lets only privileged programs open (ip(7), ip_unprivileged_port_start). */
const hasReservedPort = ({ listen, authorizer }: Config): boolean =>
  [listen, authorizer.listen].some(
    (address) => address.kind === 'tcp' && address.port > 0 && address.port < 1024,
  )

/** Folders of files that the server makes or changes. */
function foldersWritten({ data, database, keyFile, authorizer, listen }: Config): string[] {
  const folders = [data, dirname(keyFile), dirname(authorizer.secretFile)]
  if (database.kind === 'sqlite') folders.push(dirname(database.path))
  if (listen.kind === 'unix') folders.push(dirname(listen.path))
  if (authorizer.leaseDirectory !== undefined) folders.push(dirname(authorizer.leaseDirectory))
  if (authorizer.leaseDirectory !== undefined) folders.push(dirname(authorizer.leaseDirectory))
  return [...new Set(folders)]
}

const isWithin = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(`${folder}/`))

/** Neither blanks nor the signs that a unit expands: `%`, `$`, quotes and backslashes. */
function plainPath(path: string): string {
  if (/^\/[\w./@+-]*$/.test(path)) return path
  throw new UsageError(
    `${path} cannot stand in a unit. Use paths of letters, digits and . _ @ + - / for the program and its files.`,
  )
}

function account(option: string, name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name
  throw new UsageError(
    `${option} is "${name}". Write the name of an account of this machine, in small letters.`,
  )
}
