import type { Page } from 'playwright-core'
import { changeGroup } from '../../src/actions/change-group.ts'
import { disableUser } from '../../src/actions/disable-user.ts'
import * as sessions from '../../src/store/sessions.ts'
import { holdSession, makeEnrolledPerson, makePerson, type Person } from './browser-people.ts'
import type { BrowserWorld } from './browser-world.ts'

const FIREFOX = 'Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0'
const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'

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

/** A session here and one elsewhere, and none that an earlier stop began. */
async function beginAfresh(page: Page, world: BrowserWorld, person: Person): Promise<void> {
  await sessions.removeAll(world.services.db, person.id)
  await holdSession(world, page, person, { userAgent: FIREFOX, secondsAgo: 1200 })
  await holdSession(world, page, person, { userAgent: CHROME })
}

/** Opens a page as somebody with an account. */
export const asUser = (path: string): Stop['reach'] => {
  return async (page, { world, user }) => {
    await beginAfresh(page, world, user)
    await page.goto(path)
  }
}

/** Opens a page as an administrator. */
export const asAdmin = (path: string): Stop['reach'] => {
  return async (page, { world, admin }) => {
    await beginAfresh(page, world, admin)
    await page.goto(path)
  }
}

/** Opens a page without having signed in. */
export const asNobody = (path: string): Stop['reach'] => {
  return (page) => page.goto(path)
}
