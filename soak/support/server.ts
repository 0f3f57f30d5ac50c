import * as module from 'node:module'
import { compileCacheFolder } from '../../scripts/lib/runtime.js'

// `watchword serve` as it is, but for what trials need and no setting allows: a cheap hash of passwords, and room for as
// many attempts at once as a trial makes.
const cache = compileCacheFolder()
if (cache !== undefined) module.enableCompileCache(cache)

const { serve } = await import('../../src/serve.ts')
const { trialConfig } = await import('./trial-config.ts')
await serve(trialConfig(process.env))
