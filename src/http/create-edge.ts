import type { Logger } from 'pino'
import type { Metrics } from '../observe/metrics.ts'
import type { Services } from '../services.ts'
import { type BrandSettings, createAppearance } from './appearance.ts'
import { cookiesFor } from './cookies.ts'
import type { Edge, EdgeAuthorizer } from './endpoint.ts'
import { clientAddress, type Network, networkTest } from './guards/client-address.ts'
import { ownOrigins } from './guards/cross-site.ts'
import { pagePolicy, securityHeaders } from './guards/security-headers.ts'

/** The settings that this edge needs. */
export interface EdgeSettings {
  readonly origin: string
  readonly trustedProxies: readonly Network[]
  readonly login: {
    readonly uniformErrors: boolean
    readonly form: 'steps' | 'single'
    readonly returnOrigins: readonly string[]
  }
  readonly brand: BrandSettings
  readonly metrics: { readonly networks: readonly Network[] }
}

/** What every route is given. */
export function createEdge(
  services: Services,
  settings: EdgeSettings,
  { log, metrics, authorizer }: { log: Logger; metrics: Metrics; authorizer: EdgeAuthorizer },
): Edge {
  const { origin } = settings
  const inMetricsNetworks = networkTest(settings.metrics.networks)
  const appearance = createAppearance(settings.brand)
  const prefix = services.newId().slice(-8)
  let requests = 0
  return {
    services,
    log,
    metrics,
    cookies: cookiesFor(origin),
    newRequestId: () => `${prefix}-${(requests++).toString(36)}`,
    clientAddress: clientAddress(settings.trustedProxies),
    ownOrigins: ownOrigins(origin),
    securityHeaders: securityHeaders(origin),
    uniformErrors: settings.login.uniformErrors,
    appearance,
    pagePolicy: pagePolicy(appearance.styleSource, settings.login.returnOrigins),
    returnOrigins: { own: origin, others: new Set(settings.login.returnOrigins) },
    authorizer,
    singleForm: settings.login.form === 'single',
    // Whoever may write to the socket without a proxy between is on this machine already.
    mayReadMetrics: (peer, address) =>
      (peer.kind === 'unix' && address === 'local') || inMetricsNetworks(address),
  }
}
