/** Where something stands. */
export interface Spot {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/**
 * What can be wrong, by a name that stays the same from release to release (docs/apache.md), and how bad it is.
 *
 * `hole`: somebody enters, poses as somebody or learns a secret, or may. `fault`: a place does not work as it should.
 */
export const findingIds = {
  configtest: 'fault',
  'not-read': 'fault',
  'module-missing': 'fault',
  'no-authorizer': 'fault',
  'authorizer-address': 'hole',
  'authorizer-exposed': 'hole',
  'authorizer-open': 'hole',
  'authorizer-silent': 'fault',
  'secret-missing': 'fault',
  'secret-readable': 'hole',
  'secret-stale': 'fault',
  'secret-elsewhere': 'hole',
  'stale-file': 'hole',
  'unknown-policy': 'fault',
  conditional: 'hole',
  'not-included': 'hole',
  'hand-written': 'hole',
  'user-expression': 'hole',
  'authoritative-off': 'hole',
  'wrong-provider': 'hole',
  'auth-type': 'hole',
  'other-provider': 'hole',
  'require-missing': 'hole',
  'require-beside': 'hole',
  'satisfy-any': 'hole',
  'auth-merging': 'hole',
  limit: 'hole',
  'later-section': 'hole',
  'place-order': 'hole',
  'two-policies': 'hole',
  htaccess: 'hole',
  'reserved-variable': 'hole',
  'identity-header': 'hole',
  'header-twins': 'hole',
  'connection-header': 'hole',
  'cookie-header': 'hole',
  'pass-authorization': 'hole',
  trace: 'hole',
  'plain-http': 'hole',
  'return-origin': 'fault',
  'locked-out': 'fault',
  'other-door': 'hole',
  'application-exposed': 'hole',
  'narrow-match': 'hole',
  'path-reading': 'hole',
  cache: 'hole',
  'forward-proxy': 'hole',
  'log-level': 'hole',
  'logged-secret': 'hole',
  'server-info': 'hole',
  'remote-ip': 'hole',
  'protocol-options': 'hole',
  'svn-unasked': 'fault',
  'svn-rules': 'hole',
  'svn-leased': 'hole',
  'open-place': 'hole',
  'open-spelling': 'hole',
  'trace-answered': 'hole',
} as const satisfies Readonly<Record<string, 'hole' | 'fault'>>

export type FindingId = keyof typeof findingIds

/** One thing that is wrong: what, where, and what to write instead. */
export interface Finding {
  readonly id: FindingId
  readonly severity: 'hole' | 'fault'
  /** Absent for what stands in no file. */
  readonly at: Spot | undefined
  readonly what: string
  readonly instead: string
}

/** A finding with the severity of its id. */
export function finding(id: FindingId, at: Spot | undefined, what: string, instead: string): Finding {
  return { id, severity: findingIds[id], at, what, instead }
}
