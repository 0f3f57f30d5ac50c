import { z } from 'zod'
import { checkReadiness } from '../../actions/check-readiness.ts'
import { failure, notFound, ok } from '../answer.ts'
import type { Route } from '../endpoint.ts'
import * as schemas from './schemas.ts'

const status = z.strictObject({ status: z.string() })

/** `GET /healthz` */
export const liveness: Route = {
  method: 'GET',
  path: '/healthz',
  access: 'monitoring',
  summary: 'Is the process alive',
  description: 'Answers without touching the database.',
  answers: { 200: { description: 'It is.', schema: status } },
  handle: async () => ok({ status: 'alive' }),
}

/** `GET /readyz` */
export const readiness: Route = {
  method: 'GET',
  path: '/readyz',
  access: 'monitoring',
  summary: 'Can it sign people in',
  description: 'Asks the database, and whether it has all migrations of this program.',
  answers: {
    200: { description: 'It can.', schema: status },
    503: { description: 'It cannot; do not send people here.', schema: schemas.errorBody },
  },
  async handle(_request, { services }) {
    const { kind } = await checkReadiness(services)
    if (kind === 'ready') return ok({ status: 'ready' })
    if (kind === 'read-only') return failure(503, 'not_ready', 'The database is a replica, or read only.')
    return failure(
      503,
      'not_ready',
      'The database does not have the tables of this version. Run: watchword migrate',
    )
  },
}

/** `GET /metrics` */
export const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  access: 'monitoring',
  summary: 'Metrics',
  description: 'For Prometheus, from the networks of the setting `metrics.networks` only.',
  answers: {
    200: { description: 'In the text format of Prometheus.' },
    404: { description: 'To anybody else.' },
  },
  async handle({ caller, peer }, edge) {
    if (!edge.mayReadMetrics(peer, caller.address)) return notFound()
    return { status: 200, body: await edge.metrics.text(), contentType: edge.metrics.contentType }
  },
}
