import { authorityOf, type Site, siteConfiguration } from './site.ts'
import { pathname, shown, VhostError } from './vhost-values.ts'

/** A site whose Watchword is started by Apache itself, through Phusion Passenger. */
export interface PassengerSite extends Site {
  /** Folder of the program. */
  readonly root: string
  /** The Node that runs it. */
  readonly node: string
  /** The settings file. */
  readonly settings: string
  /** Folder of the data; a file `restart.txt` in it, newly written, starts Watchword anew. */
  readonly data: string
  /** Whom Watchword runs as. */
  readonly user: string
  readonly group: string
  /** Variables of the process besides `WATCHWORD_CONFIG`. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * The text of the two virtual hosts of a site by which Apache starts Watchword, ready for `apachectl configtest`.
 *
 * @throws VhostError for any value that could end Apache's quoting or be expanded by Apache.
 */
export function passengerConfiguration(site: PassengerSite): string {
  const authority = authorityOf(site)
  return siteConfiguration(site, {
    introduction: introduction(authority),
    application: application(site, authority),
  })
}

const introduction = (authority: string): string => `\
# Watchword run by Apache httpd 2.4, through Phusion Passenger, for https://${authority}
# Printed by "watchword apache passenger": print it again rather than edit it.
#
# Package and modules, on Debian:  apt install libapache2-mod-passenger && a2enmod ssl headers passenger
#   (alias, authz_core, env, reqtimeout are enabled already)
# Install:  put this file at /etc/apache2/sites-available/watchword.conf, then
#   a2ensite watchword && apachectl configtest && systemctl restart apache2
#
# Apache takes the limits on sizes and times, the strictness about HTTP and, for clients that send no name,
# everything else from the first site of a port: let this be the first one, or the only one.

# Started with Apache and not with the first visitor: protected places ask it too.
PassengerPreStart https://${authority}/healthz
# No answer is kept for others, nothing tells the release, and Passenger calls nobody.
PassengerTurbocaching Off
PassengerShowVersionInHeader Off
PassengerDisableSecurityUpdateCheck On
PassengerDisableAnonymousTelemetry On
`

function application(site: PassengerSite, authority: string): string {
  const root = pathname('root', site.root)
  return `\
  # One process, always: it is never too busy for another request, so Passenger starts no second one.
  PassengerEnabled On
  PassengerAppRoot "${root}"
  PassengerAppType node
  PassengerStartupFile bin/passenger.js
  PassengerNodejs "${pathname('node', site.node)}"
  PassengerAppEnv production
  PassengerUser ${account('user', site.user)}
  PassengerGroup ${account('group', site.group)}
  PassengerMinInstances 1
  PassengerForceMaxConcurrentRequestsPerProcess 0
  PassengerStartTimeout 60
  # touch ${pathname('data', site.data)}/restart.txt, and the next request starts it anew.
  PassengerRestartDir "${site.data}"
  PassengerLoadShellEnvvars Off
  SetEnv WATCHWORD_CONFIG "${pathname('settings', site.settings)}"
${Object.entries(site.environment)
  .map(([name, value]) => `  SetEnv ${name} "${plain(name, value)}"\n`)
  .join('')}\

  # What Passenger would add to each answer.
  Header always unset X-Powered-By
  Header unset Status

  # An error of the application says what to do: people get that page. Those of Passenger would tell of the machine.
  PassengerErrorOverride Off
  PassengerFriendlyErrorPages Off

  # Apache serves files of this folder by itself: there is none but the one that says so.
  DocumentRoot "${root}/public"
  <Directory "${root}/public">
    AllowOverride None
    Options None
    Require all granted
    <Files "README.md">
      Require all denied
    </Files>
  </Directory>

  # The application sees the configured name, whatever the client asked for, and of addresses that which Passenger
  # adds behind what is set here.
  RequestHeader set Host "${authority}"
  RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"
  RequestHeader set X-Forwarded-Proto "https"
`
}

/** A name of the system's users or groups. */
function account(setting: string, name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return name
  throw new VhostError(
    `${setting} ${shown(name)}: write the name of a ${setting} of this machine, in small letters`,
  )
}

function plain(name: string, value: string): string {
  if (/^[A-Z_]+$/.test(name) && /^[\w=./-]*$/.test(value)) return value
  throw new VhostError(`environment ${shown(name)}: ${shown(value)} cannot be written down`)
}
