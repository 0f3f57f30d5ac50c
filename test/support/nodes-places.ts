import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './apache.ts'
import { freePort } from './free-port.ts'
import { type Haproxy, haproxyBlocks, startHaproxy } from './haproxy.ts'
import { type NodesWorld, placeModules, startNodes, wikiHost } from './nodes.ts'
import { runWatchword } from './watchword.ts'

/** Two nodes, and a protected host whose questions the HAProxy of the guide passes on to them. */
export interface PlacesOfNodes {
  readonly world: NodesWorld
  /** For files of the test. */
  readonly folder: string
  /** Origin of the protected host. */
  readonly wiki: string
  /** Where Apache asks. */
  readonly port: number
  /** What the guide says, with the ports of this world. */
  here(text: string): string
  /** Ends HAProxy and starts it with another configuration. */
  configure(text: string): Promise<void>
  close(): Promise<void>
}

export async function startPlacesOfNodes(): Promise<PlacesOfNodes> {
  const folder = temporaryFolder('ww-haproxy-')
  const port = await freePort()
  const authorizers = [await freePort(), await freePort()]
  const world = await startNodes({
    second: 'tcp',
    modules: placeModules,
    hosts: wikiHost,
    settings: (index) => ({
      WATCHWORD_AUTHORIZER_LISTEN: `127.0.0.1:${authorizers[index - 1]}`,
      WATCHWORD_AUTHORIZER_BALANCER: `127.0.0.1:${port}`,
    }),
    async prepare(prefix, settings, cwd) {
      writeFileSync(join(prefix, 'htdocs', 'index.html'), 'the page of the wiki\n')
      await runWatchword(cwd, settings, { args: ['apache', 'install', '--prefix', prefix] })
      const text = readFileSync(join(prefix, 'conf-available', 'watchword-authorizer.conf'), 'utf8')
      const line = `^AuthnzFcgiDefineProvider authn watchword fcgi://127.0.0.1:${port}/$`
      assert.match(text, new RegExp(line, 'm'))
    },
  })
  const portOf = (index: 0 | 1) => world.nodes[index].settings.WATCHWORD_LISTEN?.split(':')[1]
  const here = (text: string) =>
    text
      .replaceAll(':9009', `:${port}`)
      .replaceAll(':9010', `:${authorizers[0]}`)
      .replaceAll(':9011', `:${authorizers[1]}`)
      .replaceAll('port 8000', `port ${portOf(0)}`)
      .replaceAll('port 8001', `port ${portOf(1)}`)
  let haproxy: Haproxy | undefined
  const configure = async (text: string) => {
    await haproxy?.stop()
    haproxy = await startHaproxy(folder, 'near', text, port)
  }
  const close = async () => {
    await haproxy?.stop()
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await configure(here(haproxyBlocks[0] ?? ''))
  } catch (fault) {
    await close()
    throw fault
  }
  const wiki = `https://wiki.example.net:${world.apache.httpsPort}`
  return { world, folder, wiki, port, here, configure, close }
}
