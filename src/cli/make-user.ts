import { createUser, type NewUser } from '../actions/create-user.ts'
import { explainPassword } from '../domain/password/policy.ts'
import { explainUsername } from '../domain/user.ts'
import type { Services } from '../services.ts'
import type { ExitCode } from './exit-code.ts'
import { operator } from './open-services.ts'
import { busy } from './sentences.ts'
import { done, refuse } from './terminal.ts'

/** Makes a user and says so, or why not. */
export async function makeUser(services: Services, user: NewUser): Promise<ExitCode> {
  const outcome = await createUser(services, user, operator())
  switch (outcome.kind) {
    case 'created':
      return done(`${user.isSuperuser ? 'Superuser' : 'User'} ${user.username} is made.`)
    case 'username-taken':
      return refuse(`There is a user called "${user.username}" already. Choose another name.`)
    case 'unsuitable-username':
      return refuse(explainUsername(outcome.problem))
    case 'unsuitable-display-name':
      return refuse('A display name has 1 to 128 characters, none of them invisible.')
    case 'unsuitable-password':
      return refuse(explainPassword(outcome.problem))
    case 'no-such-group':
      return refuse(`There is no group "${outcome.group}". Make it first: watchword group create NAME`)
    case 'busy':
      return refuse(busy)
  }
}
