import * as module from 'node:module'
import { compileCacheFolder, environment } from '../scripts/lib/runtime.js'

// `bin/watchword.js` has done both already; a start as `node src/main.ts` has not. Only then anything else is loaded.
const cache = module.getCompileCacheDir() === undefined ? compileCacheFolder() : undefined
if (cache !== undefined) module.enableCompileCache(cache)
for (const [name, value] of Object.entries(environment)) process.env[name] ??= value

const { run } = await import('./cli/run.ts')
process.exitCode = await run(process.argv.slice(2))
