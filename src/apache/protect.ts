import { type AccessPolicy, isOfPrograms } from '../domain/access.ts'
import { isLeased } from '../domain/lease.ts'
import { forwardingHeaders, identityHeaders, spellings } from './guarded-headers.ts'
import { leaseConfiguration, leaseVariables } from './leases/configuration.ts'
import { pathname, portNumber, shown, VhostError } from './vhost-values.ts'

/** What the files for Apache are made from. */
export interface ProtectionSettings {
  /** Apache's folder, `/etc/apache2` on Debian. */
  readonly prefix: string
  readonly authorizer: { readonly host: string; readonly port: number }
  /** By which Apache shows that it is the one who asks. */
  readonly secret: string
  readonly policies: readonly PlacePolicy[]
  /** Where leases are; without one Apache asks each time. */
  readonly leaseDirectory?: string | undefined
}

type PlacePolicy = Pick<AccessPolicy, 'name' | 'access' | 'assertion' | 'lease' | 'networks'>

/** A file to write, whole. */
export interface ApacheFile {
  readonly path: string
  readonly text: string
  /** Permission bits; Apache reads its configuration as root. */
  readonly mode: number
}

/**
 * The files by which Apache asks Watchword: one for the server, one with the secret, and one a policy, to be included
 * where something is to be protected.
 *
 * @throws VhostError for any value that cannot stand in Apache's configuration as it is.
 */
export function protectionFiles({
  prefix,
  authorizer,
  secret,
  policies,
  leaseDirectory,
}: ProtectionSettings): ApacheFile[] {
  const folder = pathname('prefix', prefix)
  if (!/^[A-Za-z0-9_-]{22,}$/.test(secret)) throw new VhostError('the secret is not what Watchword makes')
  const secretFile = `${folder}/watchword/secret.conf`
  return [
    { path: secretFile, text: secretConfiguration(secret), mode: 0o600 },
    {
      path: `${folder}/conf-available/watchword-authorizer.conf`,
      text: serverConfiguration(authorizer),
      mode: 0o644,
    },
    ...policies.map((policy) => ({
      path: `${folder}/watchword/protect-${policyName(policy.name)}.conf`,
      text: placeConfiguration(policy, { secretFile, leaseDirectory }),
      mode: 0o644,
    })),
  ]
}

const origin = '# Written by "watchword apache install": run it again rather than edit this.\n'

/** An attribute of every request, so that the variable is always set; a client has no name for it. */
const always = 'SetEnvIf Request_Method "^"'

const secretConfiguration = (secret: string): string => `${origin}\
# Whoever knows this may ask Watchword as Apache does: for root alone.
${always} WW_SECRET=${secret}
`

function serverConfiguration({ host, port }: ProtectionSettings['authorizer']): string {
  if (!/^(?:127\.[\d.]+|::1)$/.test(host))
    throw new VhostError(`authorizer ${shown(host)} is not this machine`)
  const address = `fcgi://${host === '::1' ? '[::1]' : host}:${portNumber('authorizer port', port)}/`
  return `${origin}\
# Modules, on Debian:  a2enmod authnz_fcgi headers    (authz_core, authz_user and setenvif are enabled already)
# Then:  a2enconf watchword-authorizer && apachectl configtest && apachectl graceful
AuthnzFcgiDefineProvider authn watchword ${address}

# TRACE would answer on a protected place with what the browser sent.
TraceEnable off

# A program that shows an error (ErrorDocument) gets what the refused request had as REDIRECT_…, the secret excepted.
${always} !REDIRECT_WW_SECRET
`
}

function policyName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) return name
  throw new VhostError(`the policy ${shown(name)} has a name that no file can have`)
}

function placeConfiguration(
  policy: PlacePolicy,
  {
    secretFile,
    leaseDirectory,
  }: { readonly secretFile: string; readonly leaseDirectory: string | undefined },
): string {
  const { name, access, assertion } = policy
  const lease =
    leaseDirectory !== undefined && isLeased(policy)
      ? leaseConfiguration(name, leaseDirectory)
      : { variables: '', requirement: '' }
  return `\
${origin}\
#
#   <Location "/place">
#     Include watchword/protect-${name}.conf
#   </Location>
#
# Let no other "Require" stand beside it: one that passes is enough for Apache.
Include "${secretFile}"
# What the section around this one set is not for this one.
${always} WW_POLICY=${name} ${leaseVariables.map((variable) => `!${variable}`).join(' ')}
${lease.variables}\
AuthType Watchword
AuthName Watchword
AuthnzFcgiCheckAuthnProvider watchword Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
AuthMerging Off
<IfModule mod_access_compat.c>
  Satisfy All
</IfModule>
# Whoever was admitted here needs no second look when Apache itself looks for the index of a folder or lists it.
<RequireAny>
${lease.requirement}\
  Require valid-user
  Require expr "%{IS_SUBREQ} == 'true' && reqenv('WW_POLICY') == '${name}' && -n reqenv('WW_USER_ID')"
</RequireAny>
${access.some(isOfPrograms) ? programs : ''}\

# A script gets its 401 as JSON.
Header always set Content-Type "application/json" "expr=resp('Watchword-Answer') == 'json'"

# Apache removes every header that Connection names on its way to an application, those set below too.
RequestHeader edit Connection "(?i)^(?:.*[,\\s])?(close|keep-alive|upgrade)(?:[,\\s].*)?$" "$1"
RequestHeader unset Connection "expr=! (tolower(req_novary('Connection')) in {'close', 'keep-alive', 'upgrade'})"

# Headers that tell who is asking, from where and for what are written by Apache alone: an application that takes
# X-Original-URL for the address would show another place than this one. Applications that fold names into variables
# take X_Remote_User for X-Remote-User, hence every spelling. ProxyPass adds its own X-Forwarded-For afterwards.
${[...forwardingHeaders, ...identityHeaders]
  .flatMap(spellings)
  .map((header) => `RequestHeader unset ${header}`)
  .join('\n')}
RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"
RequestHeader set X-Remote-User "expr=%{reqenv:REMOTE_USER}"
RequestHeader set X-Remote-Groups "expr=%{reqenv:REMOTE_GROUPS}"
${assertion ? asserted : ''}\

# The cookies of Watchword are not for the application.
RequestHeader edit* Cookie "(?i)(?:^|[;,])\\s*(?:__Host-)?watchword-[^=;,]*(?:=[^;,]*)?" ""
RequestHeader edit Cookie "^[;,\\s]+" ""
RequestHeader unset Cookie "expr=-z req_novary('Cookie')"
`
}

const asserted = `\
RequestHeader set X-Watchword-Assertion "expr=%{reqenv:WW_ASSERTION}" "expr=-n reqenv('WW_ASSERTION')"
`

const programs = `
# Programs show what they have by Basic. Watchword sees it, the application does not.
CGIPassAuth On
RequestHeader unset Authorization "expr=req_novary('Authorization') =~ m#^\\s*basic#i"
`
