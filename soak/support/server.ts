import * as module from 'node:module'
import { compileCacheFolder } from '../../scripts/lib/runtime.js'

// `watchword serve` as it is, but for what trials need: a cheap hash of passwords, room for as many attempts at once as
// a trial makes, which no setting allows, and a count of the passwords that the library compared.
const cache = compileCacheFolder()
if (cache !== undefined) module.enableCompileCache(cache)

const argon2 = module.createRequire(import.meta.url)('@node-rs/argon2') as Record<string, unknown>
const { verify } = argon2 as { verify: (...given: unknown[]) => unknown }
let compared = 0
argon2.verify = (...given: unknown[]) => {
  compared++
  return verify(...given)
}
process.on('message', () => process.send?.(compared))

const { serve } = await import('../../src/serve.ts')
const { trialConfig } = await import('./trial-config.ts')
await serve(trialConfig(process.env))
