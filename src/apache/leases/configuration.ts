import { shown, VhostError } from '../vhost-values.ts'

/** Variables that are set where a lease is found or might be; a section begins by taking them back. */
export const leaseVariables = [
  ...['WW_LEASE', 'WW_TIME', 'REMOTE_USER', 'REMOTE_GROUPS', 'WW_AMR', 'WW_USER_ID'],
] as const

/**
 * What lets Apache admit by a lease to a place of this policy.
 *
 * One expression, whose variables are set when all of it holds: credentials or a ticket are for Watchword to see; the
 * cookie comes once, under the name that it has on this scheme, with a token, whose signs lead out of no folder; the
 * file is there, whole, and of now. Nothing of it is remembered for another request.
 *
 * @throws VhostError for a folder or a name that cannot stand in it.
 */
export function leaseConfiguration(policy: string, directory: string) {
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(directory)) {
    throw new VhostError(`authorizer.lease_directory ${shown(directory)} cannot stand in an expression`)
  }
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(policy)) {
    throw new VhostError(`the policy ${shown(policy)} cannot stand in an expression`)
  }
  const cookie = [
    '^(?!.*watchword-site.*watchword-site)',
    '(?:https;(?:.*;)? __Host-|http;(?:.*;)? )watchword-site=([A-Za-z0-9_-]{43})(?:;|$)',
  ].join('')
  const name = `sha1(reqenv('WW_SECRET') . ' ' . %{REQUEST_SCHEME} . '://' . req_novary('Host') . ' ' . $1)`
  const file = `'${directory}/policies/${policy}/' . $1`
  const lines = String.raw`^(\d{14})\n(\d{14})\n([^\n]+)\n([^\n]*)\n([^\n]+)\n([^\n]+)\n$`
  const expression = [
    `%{REQUEST_SCHEME} . '; ' . req_novary('Cookie') =~ m#${cookie}#`,
    // Matched so that it is made once: a comparison hands on what it found.
    `${name} =~ m#^([0-9a-f]{40})$#`,
    `-f ${file}`,
    `file(${file}) =~ m#${lines}#`,
    '%{TIME} >= $1 && %{TIME} < $2',
  ]
  return {
    variables: `\
# A session that was admitted under this policy a moment ago is admitted again by the file that says so, unless it shows
# credentials or a ticket. Watchword removes the file before it says that the session ended.
SetEnvIfExpr "-z req_novary('Authorization') && ! %{THE_REQUEST} =~ /watchword_ticket/ && ${expression.join(' && ')}" \\
  WW_LEASE=${policy} REMOTE_USER=$3 REMOTE_GROUPS=$4 WW_AMR=$5 WW_USER_ID=$6 !WW_SECRET
SetEnvIfExpr "-z reqenv('WW_LEASE') && %{TIME} =~ /(.+)/" WW_TIME=$1
`,
    requirement: `  Require expr "reqenv('WW_LEASE') == '${policy}'"\n`,
  }
}
