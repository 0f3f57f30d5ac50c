import { authenticate } from '../../src/actions/authenticate.ts'
import { compose } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { UnixSeconds } from '../../src/domain/time.ts'
import type { Services } from '../../src/services.ts'

/** The real services on the data of a place, for as long as `work` takes, with its own clock. */
export async function withServicesOn<T>(
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  work: (services: Services, clock: { now: UnixSeconds }) => Promise<T>,
): Promise<T> {
  const clock = { now: Math.floor(Date.now() / 1000) }
  const { services, close } = await compose(loadConfig({ cwd, env }), { now: () => clock.now })
  try {
    return await work(services, clock)
  } finally {
    await close()
  }
}

/** Tries password and code at once; nobody has to wait for having tried before. */
export async function tryCode(
  services: Services,
  username: string,
  password: string,
  code: string,
): Promise<string> {
  await services.db.deleteFrom('attempts').execute()
  const caller = { address: '192.0.2.1', userAgent: 'test', requestId: 'test' }
  const { kind } = await authenticate(services, { username, password, code, uniform: false }, caller)
  return kind
}
