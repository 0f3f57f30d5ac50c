import { z } from 'zod'
import { listPublishedKeys } from '../../actions/signing-keys.ts'
import { KEY_SET_LIFETIME } from '../../domain/assertion.ts'
import type { Route } from '../endpoint.ts'

const keySet = z.strictObject({
  keys: z.array(
    z.strictObject({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: z.string(),
      y: z.string(),
      kid: z.string(),
      alg: z.literal('ES256'),
      use: z.literal('sig'),
    }),
  ),
})

/** `GET /.well-known/jwks.json` */
export const assertionKeys: Route = {
  method: 'GET',
  path: '/.well-known/jwks.json',
  access: 'anybody',
  summary: 'Keys that assertions are checked by',
  description:
    'A JSON Web Key Set (RFC 7517) for the applications of policies with `assertion = true`. May be kept for five minutes.',
  answers: {
    200: {
      description: 'The keys; none where no policy asks for assertions.',
      schema: keySet,
    },
  },
  async handle(_request, { services }) {
    const keys = await listPublishedKeys(services)
    const body: z.output<typeof keySet> = {
      keys: keys.map(({ id, publicKey }) => ({ ...publicKey, kid: id, alg: 'ES256', use: 'sig' })),
    }
    return {
      status: 200,
      body,
      headers: { 'cache-control': `public, max-age=${KEY_SET_LIFETIME}` },
    }
  },
}
