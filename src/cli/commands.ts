import { imports } from './import-commands.ts'
import type { Declare } from './invocation.ts'

/** A command, or a family of commands. */
export interface Branch {
  readonly name: string
  readonly summary: string
  /** Loads the command; what does not run is never loaded. */
  readonly load?: () => Promise<Declare>
  readonly branches?: readonly Branch[]
}

const appPassword: readonly Branch[] = [
  {
    name: 'add',
    summary: 'make an app password and print it once',
    load: async () => (await import('./commands/user/add-app-password.ts')).declareAppPasswordAdd,
  },
  {
    name: 'list',
    summary: "list a user's app passwords",
    load: async () => (await import('./commands/user/list-app-passwords.ts')).declareAppPasswordList,
  },
  {
    name: 'revoke',
    summary: 'revoke an app password',
    load: async () => (await import('./commands/user/revoke-app-password.ts')).declareAppPasswordRevoke,
  },
]

const codeWindow: readonly Branch[] = [
  {
    name: 'list',
    summary: 'list what a password and code in one field opens to programs of a user',
    load: async () => (await import('./commands/user/list-code-windows.ts')).declareCodeWindowList,
  },
  {
    name: 'end',
    summary: 'end it, so that the program needs another code',
    load: async () => (await import('./commands/user/end-code-window.ts')).declareCodeWindowEnd,
  },
]

const user: readonly Branch[] = [
  {
    name: 'create',
    summary: 'make a user',
    load: async () => (await import('./commands/user/create.ts')).declareUserCreate,
  },
  {
    name: 'list',
    summary: 'list users',
    load: async () => (await import('./commands/user/list.ts')).declareUserList,
  },
  {
    name: 'show',
    summary: 'show one user: devices, sessions, waits',
    load: async () => (await import('./commands/user/show.ts')).declareUserShow,
  },
  {
    name: 'disable',
    summary: 'end all that a user holds and let them in no more',
    load: async () => (await import('./commands/user/disable.ts')).declareUserDisable,
  },
  {
    name: 'enable',
    summary: 'let a disabled user sign in again',
    load: async () => (await import('./commands/user/enable.ts')).declareUserEnable,
  },
  {
    name: 'set-password',
    summary: "set a user's password",
    load: async () => (await import('./commands/user/set-password.ts')).declareUserSetPassword,
  },
  {
    name: 'invite',
    summary: 'print a link by which a user chooses a password',
    load: async () => (await import('./commands/user/invite.ts')).declareUserInvite,
  },
  {
    name: 'reset-second-factor',
    summary: 'remove lost devices and make one recovery code',
    load: async () => (await import('./commands/user/reset-second-factor.ts')).declareUserResetSecondFactor,
  },
  {
    name: 'unlock',
    summary: 'forget failed attempts, so that the user need not wait',
    load: async () => (await import('./commands/user/unlock.ts')).declareUserUnlock,
  },
  {
    name: 'delete',
    summary: 'delete a user for good',
    load: async () => (await import('./commands/user/delete.ts')).declareUserDelete,
  },
  {
    name: 'add-token',
    summary: 'bind a hardware token whose key you were given',
    load: async () => (await import('./commands/user/add-token.ts')).declareUserAddToken,
  },
  { name: 'app-password', summary: 'what programs sign in with', branches: appPassword },
  { name: 'code-window', summary: 'programs that came in by password and code', branches: codeWindow },
]

const group: readonly Branch[] = [
  {
    name: 'create',
    summary: 'make a group',
    load: async () => (await import('./commands/group/change.ts')).declareGroupCreate,
  },
  {
    name: 'delete',
    summary: 'delete a group; its members stay',
    load: async () => (await import('./commands/group/change.ts')).declareGroupDelete,
  },
  {
    name: 'add',
    summary: 'add a user to a group',
    load: async () => (await import('./commands/group/change.ts')).declareGroupAdd,
  },
  {
    name: 'remove',
    summary: 'take a user out of a group',
    load: async () => (await import('./commands/group/change.ts')).declareGroupRemove,
  },
  {
    name: 'list',
    summary: 'list groups',
    load: async () => (await import('./commands/group/list.ts')).declareGroupList,
  },
]

const audit: readonly Branch[] = [
  {
    name: 'list',
    summary: 'list what happened, the latest first',
    load: async () => (await import('./commands/audit/list.ts')).declareAuditList,
  },
  {
    name: 'export',
    summary: 'write the audit log as JSON lines, the oldest first',
    load: async () => (await import('./commands/audit/export.ts')).declareAuditExport,
  },
]

const keys: readonly Branch[] = [
  {
    name: 'rotate',
    summary: 'make a new key and seal every secret with it',
    load: async () => (await import('./commands/keys/rotate.ts')).declareKeysRotate,
  },
  {
    name: 'check',
    summary: 'open every sealed secret once, and change nothing',
    load: async () => (await import('./commands/keys/check.ts')).declareKeysCheck,
  },
  {
    name: 'prune',
    summary: 'remove keys that nothing is sealed with',
    load: async () => (await import('./commands/keys/prune.ts')).declareKeysPrune,
  },
  {
    name: 'rotate-signing',
    summary: 'make a new key for the assertions that applications are sent',
    load: async () => (await import('./commands/keys/rotate-signing.ts')).declareKeysRotateSigning,
  },
]

const policy: readonly Branch[] = [
  {
    name: 'list',
    summary: 'list policies of protected places',
    load: async () => (await import('./commands/policy/list.ts')).declarePolicyList,
  },
  {
    name: 'test',
    summary: 'say whether a user may enter under a policy, and why',
    load: async () => (await import('./commands/policy/test.ts')).declarePolicyTest,
  },
]

const exports: readonly Branch[] = [
  {
    name: 'users',
    summary: 'write every user as a line of JSON',
    load: async () => (await import('./commands/export/users.ts')).declareExportUsers,
  },
  {
    name: 'htpasswd',
    summary: 'write a password file for Apache, of the hashes that it understands',
    load: async () => (await import('./commands/export/htpasswd.ts')).declareExportHtpasswd,
  },
]

/** Every command of `watchword`, in the order of the help. */
export const commands: readonly Branch[] = [
  {
    name: 'serve',
    summary: 'run the server',
    load: async () => (await import('./commands/serve.ts')).declareServe,
  },
  {
    name: 'createsuperuser',
    summary: 'make the first user, who may do everything',
    load: async () => (await import('./commands/createsuperuser.ts')).declareCreateSuperuser,
  },
  { name: 'user', summary: 'users', branches: user },
  { name: 'group', summary: 'groups of users', branches: group },
  { name: 'import', summary: 'take users over from other programs', branches: imports },
  { name: 'export', summary: 'take users out, for other programs', branches: exports },
  { name: 'policy', summary: 'who may enter protected places', branches: policy },
  { name: 'audit', summary: 'the audit log', branches: audit },
  { name: 'keys', summary: 'the keys that seal secrets and sign assertions', branches: keys },
  {
    name: 'migrate',
    summary: 'bring the database up to date',
    load: async () => (await import('./commands/migrate.ts')).declareMigrate,
  },
  {
    name: 'backup',
    summary: 'copy the whole database into one file, while the server runs',
    load: async () => (await import('./commands/backup.ts')).declareBackup,
  },
  {
    name: 'restore',
    summary: 'put a backup in place of the database',
    load: async () => (await import('./commands/restore.ts')).declareRestore,
  },
  {
    name: 'move',
    summary: 'move to another database: SQLite to PostgreSQL, or back',
    load: async () => (await import('./commands/move.ts')).declareMove,
  },
  {
    name: 'config',
    summary: 'show the settings in force',
    load: async () => (await import('./commands/config.ts')).declareConfig,
  },
  {
    name: 'systemd',
    summary: 'print the unit by which systemd runs the server',
    load: async () => (await import('./commands/systemd.ts')).declareSystemd,
  },
  {
    name: 'apache',
    summary: 'configuration of Apache httpd',
    branches: [
      {
        name: 'vhost',
        summary: 'print a virtual host in front of Watchword',
        load: async () => (await import('./commands/apache/vhost.ts')).declareApacheVhost,
      },
      {
        name: 'passenger',
        summary: 'print a virtual host by which Apache runs Watchword itself',
        load: async () => (await import('./commands/apache/passenger.ts')).declareApachePassenger,
      },
      {
        name: 'install',
        summary: 'write the files by which Apache protects places',
        load: async () => (await import('./commands/apache/install.ts')).declareApacheInstall,
      },
      {
        name: 'doctor',
        summary: 'check what Apache protects, and attack it',
        load: async () => (await import('./commands/apache/doctor.ts')).declareApacheDoctor,
      },
    ],
  },
]
