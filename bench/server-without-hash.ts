import * as module from 'node:module'
import { compileCacheFolder } from '../scripts/lib/runtime.js'

// The server under test with passwords taken out of the measurement: `serve` as it is, with settings from the
// environment, and less work for the hash than any setting allows.
const cache = compileCacheFolder()
if (cache !== undefined) module.enableCompileCache(cache)

const { loadConfig } = await import('../src/config/load.ts')
const { serve } = await import('../src/serve.ts')
const config = loadConfig({ cwd: process.cwd(), env: process.env })
await serve({ ...config, password: { ...config.password, memoryKib: 8, passes: 1 } })
