import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readCallerSecret } from '../../src/crypto/caller-secret.ts'
import { leaseName } from '../../src/domain/lease.ts'
import type { Token } from '../../src/domain/token.ts'
import { type Apache, request, startApache, temporaryFolder } from '../support/apache.ts'
import { makePerson } from '../support/browser-people.ts'
import { freePort } from '../support/free-port.ts'
import {
  enter,
  type Node,
  type NodesWorld,
  placeModules,
  siteCookie,
  startNodes,
  wikiHost,
} from '../support/nodes.ts'
import { isInTime } from '../support/pace.ts'
import { send } from '../support/protected.ts'
import { until } from '../support/until.ts'
import { runWatchword } from '../support/watchword.ts'

/** Longest time that Apache may go on admitting by a lease once somebody was told that it is over. */
const REVOKED_MS = 1000

// Two machines in small: each Apache asks its own node and reads the leases of its own folder.
describe('leases of two nodes, each beside an Apache', () => {
  let world: NodesWorld
  let other: Apache
  let folder: string
  let people = 0

  before(async () => {
    folder = temporaryFolder('ww-node-leases-')
    const ports = [await freePort(), await freePort()]
    world = await startNodes({
      second: 'tcp',
      modules: placeModules,
      hosts: wikiHost,
      settings: (index) => ({
        WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${ports[index - 1]}`,
        WATCHWORD_AUTHORIZER_LEASE_DIRECTORY: join(folder, `leases-${index}`),
      }),
      prepare: (prefix, settings) => prepare(prefix, settings),
    })
    other = await startApache({
      extraModules: placeModules,
      vhost: wikiHost,
      prepare: (prefix) => prepare(prefix, world.nodes[1].settings),
    })
    for (const node of world.nodes) {
      node.settings.WATCHWORD_LOGIN_RETURN_ORIGINS = hosts().join()
      await restart(node)
    }
  })
  after(async () => {
    await other?.stop()
    await world?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const apaches = () => [world.apache, other]
  const hosts = () => apaches().map(({ httpsPort }) => `https://wiki.example.net:${httpsPort}`)

  async function prepare(prefix: string, settings: Record<string, string>): Promise<void> {
    writeFileSync(join(prefix, 'htdocs', 'index.html'), 'the page of the wiki\n')
    await runWatchword(prefix, settings, { args: ['apache', 'install', '--prefix', prefix] })
  }
  async function restart(node: Node): Promise<void> {
    await node.kill()
    await node.start()
  }

  async function somebody() {
    const person = await makePerson(world, `person${people++}`)
    const { own, tokens } = await enter(world, person, hosts())
    const there = hosts().map((host, index) => new Door(host, tokens[index], leaseFolder(index)))
    return { own, there }
  }
  const leaseFolder = (index: number) =>
    world.nodes[index]?.settings.WATCHWORD_AUTHORIZER_LEASE_DIRECTORY ?? assert.fail('no folder')
  const secret = () => readCallerSecret(world.config.authorizer.secretFile)

  /** One host, for one person. */
  class Door {
    readonly #host: string
    readonly #token: Token | undefined
    readonly #folder: string

    constructor(host: string, token: Token | undefined, leases: string) {
      this.#host = host
      this.#token = token
      this.#folder = leases
    }

    async status(): Promise<number> {
      const url = new URL('/index.html', this.#host)
      const headers = { accept: 'text/html', cookie: siteCookie(this.#token) }
      return (await send(Number(url.port), url, { method: 'GET', headers, body: undefined })).status
    }

    isLeased(): boolean {
      const name = leaseName(secret(), this.#host, this.#token ?? assert.fail('no token'))
      return existsSync(join(this.#folder, 'policies', 'two-factor', name))
    }

    async openByLease(): Promise<void> {
      await until(async () => (await this.status()) === 200 && this.isLeased(), `${this.#host} is leased`)
      assert.equal(await this.status(), 200)
    }

    /** How long it goes on to open, in milliseconds. */
    async closes(): Promise<number> {
      const begun = performance.now()
      await until(async () => (await this.status()) === 302, `${this.#host} closes`)
      return performance.now() - begun
    }
  }

  async function signOutAt(node: Node, own: string): Promise<void> {
    const port = Number(node.settings.WATCHWORD_LISTEN?.split(':')[1])
    const headers = { Cookie: own, 'Content-Type': 'application/json' }
    const { status } = await request({
      ...{ port, path: '/auth/logout/', method: 'POST', headers, body: '{}' },
      serverName: 'auth.example.com',
    })
    assert.equal(status, 200)
  }

  it('end at both within a second when the session ends at either (FT-REV-1)', async () => {
    for (const [index, node] of world.nodes.entries()) {
      const { own, there } = await somebody()
      for (const door of there) await door.openByLease()
      await signOutAt(node, own)
      assert.equal(await there[index]?.status(), 302, 'the node that was told knows it before it answers')
      for (const door of there) {
        const took = await door.closes()
        assert.ok(await isInTime(took, REVOKED_MS), `open for ${took} ms`)
        assert.equal(door.isLeased(), false)
      }
    }
  })

  it('of two nodes on one machine share a folder, and those of one that died end through the other', async () => {
    const [first, second] = world.nodes
    second.settings.WATCHWORD_AUTHORIZER_LEASE_DIRECTORY = leaseFolder(0)
    await restart(second)
    const { own, there } = await somebody()
    const [door] = there
    await door?.openByLease()
    await first.kill()
    assert.equal(await door?.status(), 200, 'the lease holds without its node')
    await signOutAt(second, own)
    assert.equal(door?.isLeased(), false)
    // Nobody is there to ask.
    assert.equal(await door?.status(), 500)
    await first.start()
    assert.equal(await door?.status(), 302)
  })
})
