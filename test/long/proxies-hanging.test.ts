import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { it } from 'node:test'
import { startCaddy, startNginx, startProxied } from '../support/proxies.ts'

for (const [name, start, expected] of [
  ['nginx', startNginx, 500],
  ['Caddy', startCaddy, 504],
] as const) {
  it(`${name} refuses while Watchword takes questions and answers none (SEC-FCGI-8)`, async () => {
    const here = await startProxied((place) => start(place))
    const ada = here.visitor((await here.world.enrolled('ada')).browser)
    assert.equal((await ada.open(`${here.wiki}/page`)).status, 200)
    await here.stopWatchword()
    const open = new Set<Socket>()
    const hanging = createServer((socket) => {
      open.add(socket)
      socket.on('error', () => socket.destroy())
    })
    await once(hanging.listen(here.watchwordPort, '127.0.0.1'), 'listening')
    assert.equal((await ada.get(`${here.wiki}/page`)).status, expected)
    for (const socket of open) socket.destroy()
    await new Promise((closed) => hanging.close(closed))
    await here.startWatchword()
    assert.equal((await ada.get(`${here.wiki}/page`)).status, 200)
    await here.close()
  })
}
