import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { record } from '../src/actions/caller.ts'
import { changeGroup } from '../src/actions/change-group.ts'
import type { AuditEvent } from '../src/domain/audit.ts'
import { holdSession, makeEnrolledPerson, makePerson, type Person } from '../test/support/browser-people.ts'
import { enrol, keepRecoveryCodes, sendPassword } from '../test/support/browser-steps.ts'
import { type BrowserWorld, startBrowserWorld } from '../test/support/browser-world.ts'
import { ensureDebianPackages } from './lib/debian.js'
import { root } from './lib/runtime.js'

// npm run pictures: draws the pictures of the README anew, of a server with made-up people.

const run = promisify(execFile)

const folder = join(root, 'docs', 'pictures')

/** Largest picture, in bytes: a clone brings them all. */
const LARGEST = 60 * 1024

const DAY = 24 * 3600

const phone = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 }
const desk = { viewport: { width: 960, height: 640 }, deviceScaleFactor: 2 }

const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'

await ensureDebianPackages()
await ensureDebianPackages({
  pngquant: 'pngquant',
  'fonts-inter': '../share/fonts/opentype/inter/Inter-Regular.otf',
})
const own = mkdtempSync(join(tmpdir(), 'ww-pictures-'))
process.env.FONTCONFIG_FILE = fontsLike('Inter')
const world = await startBrowserWorld()
try {
  mkdirSync(folder, { recursive: true })
  const people = await moveIn(world)
  await picture('login', phone, (page) => page.goto('/login'))
  await picture('enrolment', phone, (page) => sendPassword(page, people.dora))
  await picture('account', { ...phone, colorScheme: 'dark' }, async (page) => {
    await holdSession(world, page, people.bob, { userAgent: CHROME })
    await page.goto('/account')
  })
  await picture('admin', desk, async (page) => {
    await holdSession(world, page, people.alice, { userAgent: CHROME })
    await page.goto('/admin')
  })
} finally {
  await world.close()
  rmSync(own, { recursive: true })
}

/** A picture of what a window of this size shows, in few colours. */
async function picture(
  name: string,
  options: BrowserContextOptions,
  reach: (page: Page) => Promise<unknown>,
): Promise<void> {
  const page = await world.visit({ userAgent: CHROME, ...options })
  await reach(page)
  // A cursor that blinks would make each picture another one.
  await page.evaluate('document.activeElement.blur(), scrollTo(0, 0)')
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  await run('pngquant', ['--force', '--strip', '--speed', '1', '--output', path, '64', path])
  const { size } = statSync(path)
  console.log(`${path}: ${Math.ceil(size / 1024)} KB`)
  if (size > LARGEST) throw new Error(`${path} has ${size} bytes: at most ${LARGEST} are committed`)
  await page.context().close()
}

/** A small organisation with a month of history. */
async function moveIn({ services }: BrowserWorld): Promise<{ alice: Person; bob: Person; dora: Person }> {
  const by = { operator: 'root' }
  for (const group of ['editors', 'staff']) await changeGroup(services, { kind: 'create', group }, by)
  const make = (username: string, displayName: string, isSuperuser = false) =>
    makeEnrolledPerson(world, username, { displayName, isSuperuser, groups: ['editors', 'staff'] })
  const alice = await make('alice', 'Alice Archer', true)
  for (const name of ['carol', 'erin', 'frank', 'grace', 'heidi']) await make(name, name)
  const dora = await makePerson(world, 'dora', { displayName: 'Dora Dyer' })
  const bob = await makePerson(world, 'bob', { displayName: 'Bob Baker', groups: ['editors', 'staff'] })
  const page = await world.visit({ userAgent: CHROME })
  await sendPassword(page, bob)
  await enrol(page)
  await keepRecoveryCodes(page)
  await page.context().close()
  await remember(world, alice)
  return { alice, bob, dora }
}

/** Audit events of the last month, as many on each day as a fixed pattern says. */
async function remember({ services }: BrowserWorld, { id }: Person): Promise<void> {
  const today = services.now()
  const caller = { address: '192.0.2.7', userAgent: CHROME, requestId: 'picture' }
  for (let day = 1; day < 30; day++) {
    const now = today - day * DAY
    const isWeekend = [0, 6].includes(new Date(now * 1000).getUTCDay())
    const tell = async (count: number, event: AuditEvent) => {
      for (let index = 0; index < count; index++) {
        await record(services, services.db, { now, by: caller, userId: id }, event)
      }
    }
    const wave = (day * 7) % 11
    await tell(isWeekend ? 3 + (wave % 4) : 14 + wave, {
      event: 'signed-in',
      amr: ['pwd', 'otp'],
      sessionId: 'x',
    })
    await tell(isWeekend ? wave % 2 : (day * 5) % 6, { event: 'password-refused', reason: 'wrong-password' })
    await tell((day * 3) % 4, { event: 'code-refused', reason: 'wrong-code' })
    await tell((day * day) % 5 === 1 ? 2 : 0, { event: 'device-confirmed', deviceId: 'x', name: 'Phone' })
  }
}

/** A configuration of fonts by which pages look as on a desktop of today, wherever the pictures are made. */
function fontsLike(family: string): string {
  const path = join(own, 'fonts.conf')
  const alias = (name: string) =>
    `<match target="pattern"><test name="family"><string>${name}</string></test><edit name="family" mode="assign" binding="strong"><string>${family}</string></edit></match>`
  const system = readFileSync('/etc/fonts/fonts.conf', 'utf8')
  const rules = ['system-ui', 'sans-serif'].map(alias).join('\n')
  writeFileSync(path, system.replace('</fontconfig>', `${rules}\n</fontconfig>`))
  return path
}
