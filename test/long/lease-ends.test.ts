import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { call, type LeasedPerson, type LeasedWorld, startLeased } from '../support/leased.ts'
import { until } from '../support/until.ts'

describe('a lease of a Watchword that answers no more', () => {
  let world: LeasedWorld
  before(async () => {
    world = await startLeased('[policies.asking]\nlease = 0\n[policies.short]\nlease = 10\n', 'short')
  })
  after(() => world?.close())

  const ask = async ({ there }: LeasedPerson) =>
    (await call(`${world.site}/leased/`, { cookie: there })).status

  /** Somebody with a lease that has most of its time left. */
  async function leased(): Promise<LeasedPerson> {
    const person = await world.somebody()
    await until(async () => (await ask(person)) === 200 && existsSync(person.leaseOf('short')), 'a lease')
    return person
  }
  /** The door closes by itself, and nobody opens it. */
  async function closes(person: LeasedPerson, attempts: number): Promise<void> {
    assert.equal(await ask(person), 200)
    await until(async () => (await ask(person)) !== 200, 'the lease at its end')
    for (let attempt = 0; attempt < attempts; attempt++) assert.equal(await ask(person), 500)
    assert.ok(existsSync(person.leaseOf('short')), 'it ended by its time, and nobody took it away')
  }

  it('that was killed ends by itself, and the next one begins without it (SEC-FCGI-8)', async () => {
    const person = await leased()
    await world.server().kill()
    await closes(person, 3)
    await world.start()
    assert.ok(!existsSync(person.leaseOf('short')), 'a lease')
    await until(async () => (await ask(person)) === 200 && existsSync(person.leaseOf('short')), 'a lease')
  })

  it('that was killed is taken away by a command (SEC-SES-8)', async () => {
    const person = await leased()
    await world.server().kill()
    await world.command('user', 'disable', person.username)
    assert.ok(!existsSync(person.leaseOf('short')), 'a lease')
    assert.equal(await ask(person), 500)
    await world.start()
    assert.notEqual(await ask(person), 200)
  })

  it('that hangs ends by itself, and goes on when it does (SEC-FCGI-8)', async () => {
    const person = await leased()
    const { pid } = world.server()
    process.kill(pid, 'SIGSTOP')
    try {
      // Apache waits half a minute for each.
      await closes(person, 1)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await until(async () => (await ask(person)) === 200, 'the door open again')
  })

  it('that is stopped as it should be is gone with it', async () => {
    const person = await leased()
    assert.equal(await world.server().stop(), 0)
    assert.ok(!existsSync(person.leaseOf('short')), 'a lease')
    assert.equal(await ask(person), 500)
    await world.start()
    assert.equal(await ask(person), 200)
  })
})
