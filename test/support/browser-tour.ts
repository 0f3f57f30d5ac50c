import type { Page } from 'playwright-core'
import { changeGroup } from '../../src/actions/change-group.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import {
  type Authenticator,
  holdSession,
  makeEnrolledPerson,
  makePerson,
  type Person,
  scan,
} from './browser-people.ts'
import { send, sendPassword, signOut } from './browser-steps.ts'
import type { BrowserWorld } from './browser-world.ts'

/** Who is shown around, and by whom. */
export interface Guide {
  readonly world: BrowserWorld
  readonly admin: Person
  /** Somebody with devices, sessions and a history. */
  readonly user: Person
  /** A name that nobody has yet. */
  newName(): string
}

/** A page in one of its states. */
export interface Stop {
  readonly name: string
  /** What the page is answered with; 200 unless told. */
  readonly status?: number
  /** Leads a browser that is signed in nowhere to the page. */
  readonly reach: (page: Page, guide: Guide) => Promise<unknown>
}

/** Makes a small organisation, so that no list is empty. */
export async function startTour(world: BrowserWorld): Promise<Guide> {
  const { services } = world
  const by = { operator: 'test' }
  for (const group of ['editors', 'staff']) await changeGroup(services, { kind: 'create', group }, by)
  const admin = await makeEnrolledPerson(world, 'alice', { displayName: 'Alice Archer', isSuperuser: true })
  const user = await makeEnrolledPerson(world, 'bob', {
    displayName: 'Bob Baker',
    groups: ['editors', 'staff'],
  })
  await makePerson(world, 'carol', { displayName: 'Carol Carter', groups: ['staff'] })
  await makePerson(world, 'dave', { displayName: 'Dave Dyer', password: undefined })
  await disableUser(services, 'dave', by)
  let count = 0
  return { world, admin, user, newName: () => `guest${++count}` }
}

/** Leads somebody new to the question for a code. */
async function toCode(page: Page, { world, newName }: Guide): Promise<Authenticator> {
  const person = await makeEnrolledPerson(world, newName())
  await sendPassword(page, person)
  return person.phone
}

const toEnrolment = async (page: Page, { world, newName }: Guide) =>
  sendPassword(page, await makePerson(world, newName()))

const asUser = (path: string): Stop['reach'] => {
  return async (page, { world, user }) => {
    await holdSession(world, page, user)
    await page.goto(path)
  }
}

const asAdmin = (path: string): Stop['reach'] => {
  return async (page, { world, admin }) => {
    await holdSession(world, page, admin)
    await page.goto(path)
  }
}

const asNobody = (path: string): Stop['reach'] => {
  return (page) => page.goto(path)
}

/** Pages for whoever is signed in nowhere yet. */
const welcoming: readonly Stop[] = [
  { name: 'login', reach: asNobody('/login') },
  {
    name: 'login-refused',
    status: 422,
    async reach(page) {
      await page.goto('/login')
      await send(page, { username: 'nobody', password: 'not the password' })
    },
  },
  {
    name: 'login-throttled',
    status: 429,
    async reach(page, { newName }) {
      const username = newName()
      await page.goto('/login')
      for (let attempt = 0; attempt < 6; attempt++) await send(page, { username, password: 'a guess' })
    },
  },
  { name: 'login-code', reach: toCode },
  {
    name: 'login-code-wrong',
    status: 422,
    async reach(page, guide) {
      const phone = await toCode(page, guide)
      for (let attempt = 0; attempt < 2; attempt++) await send(page, { otp: phone.wrongCode() })
    },
  },
  {
    name: 'login-recovery',
    async reach(page, guide) {
      await toCode(page, guide)
      await page.goto('/login?with=recovery')
    },
  },
  {
    name: 'login-recovery-wrong',
    status: 422,
    async reach(page, guide) {
      await toCode(page, guide)
      await page.goto('/login?with=recovery')
      await send(page, { otp: '0-AAAA-AAAA-AAAA-AAAA' })
    },
  },
  {
    name: 'login-new-password',
    async reach(page, { world, newName }) {
      const person = await makeEnrolledPerson(world, newName(), { mustChangePassword: true })
      await sendPassword(page, person)
      await send(page, { otp: person.phone.code() })
    },
  },
  {
    name: 'login-new-password-refused',
    status: 422,
    async reach(page, { world, newName }) {
      const person = await makeEnrolledPerson(world, newName(), { mustChangePassword: true })
      await sendPassword(page, person)
      await send(page, { otp: person.phone.code() })
      await send(page, { new_password: 'password1' })
    },
  },
  { name: 'enrol', reach: toEnrolment },
  {
    name: 'enrol-wrong',
    status: 422,
    async reach(page, guide) {
      await toEnrolment(page, guide)
      await send(page, { otp: (await scan(page)).wrongCode() })
    },
  },
  {
    name: 'recovery-codes',
    async reach(page, guide) {
      await toEnrolment(page, guide)
      await send(page, { otp: (await scan(page)).code() })
    },
  },
  {
    name: 'signed-out',
    async reach(page, { world, user }) {
      await holdSession(world, page, user)
      await page.goto('/account')
      await signOut(page)
    },
  },
  { name: 'setup', reach: asNobody('/setup') },
  {
    name: 'setup-refused',
    status: 422,
    async reach(page, { newName }) {
      await page.goto(`/setup#${'A'.repeat(43)}`)
      await send(page, { username: newName(), password: 'correct horse battery staple' })
    },
  },
  { name: 'invite', reach: asNobody(`/invite#${'A'.repeat(43)}`) },
  {
    name: 'invite-refused',
    status: 422,
    async reach(page) {
      await page.goto(`/invite#${'A'.repeat(43)}`)
      await send(page, { new_password: 'correct horse battery staple' })
    },
  },
  { name: 'error-404', status: 404, reach: asNobody('/nothing/here') },
  { name: 'error-405', status: 405, reach: asNobody('/logout') },
  { name: 'error-403', status: 403, reach: asUser('/admin') },
  {
    name: 'error-stale-form',
    status: 403,
    async reach(page) {
      await page.goto('/login')
      await page.context().clearCookies()
      await send(page, { username: 'bob', password: 'x' })
    },
  },
]

/** Pages of one's own account. */
const own: readonly Stop[] = [
  ...['', '/devices', '/recovery-codes', '/sessions', '/password', '/activity'].map((path) => ({
    name: `account${path.replace('/', '-')}`,
    reach: asUser(`/account${path}`),
  })),
  { name: 'confirm', reach: asUser('/confirm?return_to=%2Faccount%2Fdevices') },
  {
    name: 'confirm-refused',
    status: 422,
    async reach(page, guide) {
      await asUser('/confirm')(page, guide)
      await send(page, { password: 'wrong', otp: '000000' })
    },
  },
]

/** Pages of the administration. */
const administration: readonly Stop[] = [
  ...['', '/users', '/groups', '/audit'].map((path) => ({
    name: `admin${path.replace('/', '-')}`,
    reach: asAdmin(`/admin${path}`),
  })),
  { name: 'admin-user', reach: (page, guide) => asAdmin(`/admin/users/${guide.user.id}`)(page, guide) },
  { name: 'api-documentation', reach: asNobody('/docs/api') },
]

/** Every page there is, in each state that looks different. */
export const stops: readonly Stop[] = [...welcoming, ...own, ...administration]
