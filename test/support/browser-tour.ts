import type { Page } from 'playwright-core'
import type { CredentialHash } from '../../src/domain/code-window.ts'
import * as codeWindows from '../../src/store/code-windows.ts'
import * as users from '../../src/store/users.ts'
import { PASSWORD } from '../world.ts'
import { asAdmin, asNobody, asUser, type Guide, type Stop } from './browser-guide.ts'
import { type Authenticator, holdSession, makeEnrolledPerson, makePerson, scan } from './browser-people.ts'
import { enrol, formWith, keepRecoveryCodes, leads, send, sendPassword, signOut } from './browser-steps.ts'

/** Leads somebody new to the question for a code. */
async function toCode(page: Page, { world, newName }: Guide): Promise<Authenticator> {
  const person = await makeEnrolledPerson(world, newName())
  await sendPassword(page, person)
  return person.phone
}

const toEnrolment = async (page: Page, { world, newName }: Guide) =>
  sendPassword(page, await makePerson(world, newName()))

/** As if a program of the user had just come in by password and code. */
async function openToAProgram({ world: { services }, user }: Guide): Promise<void> {
  const { db, newId } = services
  const { epoch = 0 } = (await users.findById(db, user.id)) ?? {}
  const now = services.now()
  await codeWindows.insert(db, {
    ...{ id: newId(), userId: user.id, credentialHash: newId() as string as CredentialHash, policy: 'dav' },
    ...{ host: 'https://files.example.net', address: '192.0.2.7', epoch, endedAt: undefined },
    ...{ createdAt: now, expiresAt: now + 3600 },
  })
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
    name: 'recovery-codes-not-saved',
    status: 422,
    async reach(page, guide) {
      await toEnrolment(page, guide)
      await send(page, { otp: (await scan(page)).code() })
      await page.evaluate('document.getElementById("saved").required = false')
      await leads(page, () => formWith(page, 'saved').locator('button').click())
    },
  },
  {
    name: 'recovery-used',
    async reach(page, guide) {
      const person = await makePerson(guide.world, guide.newName())
      await sendPassword(page, person)
      await enrol(page)
      const [code = ''] = await keepRecoveryCodes(page)
      await signOut(page)
      await sendPassword(page, person)
      await page.goto('/login?with=recovery')
      await send(page, { otp: code })
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
  ...['', '/devices', '/recovery-codes', '/app-passwords', '/sessions', '/password', '/activity'].map(
    (path) => ({
      name: `account${path.replace('/', '-')}`,
      reach: asUser(`/account${path}`),
    }),
  ),
  {
    name: 'account-device-new',
    async reach(page, guide) {
      await asUser('/account/devices')(page, guide)
      await leads(page, () => page.locator('form[action="/account/devices/add"] button').click())
    },
  },
  {
    name: 'account-device-last',
    status: 422,
    async reach(page, guide) {
      await asUser('/account/devices')(page, guide)
      await page.locator('summary').last().click()
      await leads(page, () => page.locator('form[action="/account/devices/remove"] button').click())
    },
  },
  {
    name: 'account-app-password-made',
    async reach(page, guide) {
      await asUser('/account/app-passwords')(page, guide)
      const form = formWith(page, 'days')
      await form.locator('[name=name]').fill('git on the laptop')
      await form.locator('[name=policy-two-factor]').check()
      await leads(page, () => form.locator('button').click())
    },
  },
  {
    name: 'account-app-password-refused',
    status: 422,
    async reach(page, guide) {
      await asUser('/account/app-passwords')(page, guide)
      const form = formWith(page, 'days')
      await form.locator('[name=name]').fill('git on the laptop')
      await leads(page, () => form.locator('button').click())
    },
  },
  {
    name: 'account-sessions-programs',
    async reach(page, guide) {
      await openToAProgram(guide)
      await asUser('/account/sessions')(page, guide)
    },
  },
  {
    name: 'account-password-refused',
    status: 422,
    async reach(page, guide) {
      await asUser('/account/password')(page, guide)
      await send(page, { current_password: PASSWORD, new_password: 'password1' })
    },
  },
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
  {
    name: 'admin-user',
    async reach(page, guide) {
      await openToAProgram(guide)
      await asAdmin(`/admin/users/${guide.user.id}`)(page, guide)
    },
  },
  {
    name: 'admin-users-none',
    reach: asAdmin('/admin/users?search=zzzz&filter=disabled&group=staff'),
  },
  { name: 'admin-user-own', reach: (page, guide) => asAdmin(`/admin/users/${guide.admin.id}`)(page, guide) },
  { name: 'admin-user-new', reach: asAdmin('/admin/users/new') },
  {
    name: 'admin-user-new-refused',
    status: 422,
    async reach(page, guide) {
      await asAdmin('/admin/users/new')(page, guide)
      await send(page, { username: 'not a username', name: 'Somebody' })
    },
  },
  {
    name: 'admin-invitation',
    async reach(page, guide) {
      await asAdmin('/admin/users/new')(page, guide)
      await send(page, { username: guide.newName(), name: 'Somebody New' })
    },
  },
  {
    name: 'admin-reset',
    reach: (page, guide) => asAdmin(`/admin/users/${guide.user.id}/reset`)(page, guide),
  },
  {
    name: 'admin-reset-done',
    async reach(page, guide) {
      const { id } = await makeEnrolledPerson(guide.world, guide.newName())
      await asAdmin(`/admin/users/${id}/reset`)(page, guide)
      await leads(page, () => page.locator(`form[action="/admin/users/${id}/reset"] button`).click())
    },
  },
  {
    name: 'admin-reset-waits',
    async reach(page, guide) {
      const { id } = await makeEnrolledPerson(guide.world, guide.newName(), { isSuperuser: true })
      await asAdmin(`/admin/users/${id}/reset`)(page, guide)
      await leads(page, () => page.locator(`form[action="/admin/users/${id}/reset"] button`).click())
    },
  },
  { name: 'admin-group-delete', reach: asAdmin('/admin/groups/editors/delete') },
  {
    name: 'admin-group-refused',
    status: 422,
    async reach(page, guide) {
      await asAdmin('/admin/groups')(page, guide)
      await send(page, { group: 'Not A Group' })
    },
  },
  { name: 'admin-audit-refused', status: 422, reach: asAdmin('/admin/audit?user=nobody-at-all&from=x') },
]

/** Every page there is, in each state that looks different. */
export const stops: readonly Stop[] = [...welcoming, ...own, ...administration]
