import { beginSetup } from './actions/begin-setup.ts'
import type { Config } from './config/load.ts'
import { setupLink } from './domain/invitation.ts'
import type { Services } from './services.ts'

/** Prints where the first user is made, if there is none. */
export async function offerSetup(services: Services, { origin }: Config): Promise<void> {
  const begun = await beginSetup(services)
  if (begun.kind !== 'begun') return
  console.log(`There is no user yet. To make the first one, open ${setupLink(origin, begun.setup.token)}`)
  console.log(
    'This address works once, within an hour. Another way: npx watchword createsuperuser --username NAME',
  )
}
