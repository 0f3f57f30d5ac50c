import { verify } from '@node-rs/argon2'

// The rate of the password hash alone: eight callers at once, as many threads as UV_THREADPOOL_SIZE says. Works for
// the given time whenever it is asked to, so that it can be measured in turns with a server.
interface Order {
  readonly hash: string
  readonly password: string
  readonly milliseconds: number
}

process.on('message', async (order) => {
  const { hash, password, milliseconds } = order as Order // Only servers.ts sends, and only these.
  const before = process.cpuUsage()
  const began = performance.now()
  let done = 0
  const caller = async () => {
    while (performance.now() - began < milliseconds) {
      if (!(await verify(hash, password))) throw new Error('The password does not fit.')
      done++
    }
  }
  await Promise.all(Array.from({ length: 8 }, caller))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  process.send?.({ rate: done / seconds, cpuEach: (user + system) / 1e6 / done })
})
process.on('disconnect', () => process.exit())
