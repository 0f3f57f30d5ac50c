import * as module from 'node:module'
import { compileCacheFolder } from '../../../scripts/lib/runtime.js'

// A server under test that has loaded all it needs and waits for its settings, so that a thousand starts take a
// minute: `serve` as it is, at the least cost of a password hash where that is asked for.
const cache = compileCacheFolder()
if (cache !== undefined) module.enableCompileCache(cache)

const { loadConfig } = await import('../../../src/config/load.ts')
const { serve } = await import('../../../src/serve.ts')
const { explainFailure } = await import('../../../src/cli/explain-failure.ts')
await import('../../../src/store/sqlite.ts')
await import('../../../src/store/postgres.ts')
await import('../../../src/store/revocation-notices.ts')

interface Orders {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly hash: 'real' | 'least'
}

process.on('disconnect', () => process.exit(1))
process.once('message', async ({ cwd, env, hash }: Orders) => {
  process.chdir(cwd)
  Object.assign(process.env, env)
  const config = loadConfig({ cwd, env: process.env })
  const least = { ...config.password, memoryKib: 8, passes: 1 }
  try {
    await serve(hash === 'real' ? config : { ...config, password: least })
    process.exit(0)
  } catch (error) {
    // As the program itself tells of it.
    const { code, text } = explainFailure(error)
    console.error(text)
    process.exit(code)
  }
})
process.send?.('loaded')
