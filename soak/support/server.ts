import * as module from 'node:module'
import { compileCacheFolder } from '../../scripts/lib/runtime.js'

// `watchword serve` as it is, but for what trials need: a cheap hash of passwords, room for as many attempts at once as
// a trial makes, which no setting allows, and a count of what was really computed of passwords and codes.
const cache = compileCacheFolder()
if (cache !== undefined) module.enableCompileCache(cache)

type Called = (...given: unknown[]) => unknown
const require = module.createRequire(import.meta.url)
const computed = { passwords: 0, hmacs: 0 }

const argon2 = require('@node-rs/argon2') as { verify: Called }
const { verify } = argon2
argon2.verify = (...given) => {
  computed.passwords++
  return verify(...given)
}
const crypto = require('node:crypto') as { createHmac: Called }
const { createHmac } = crypto
crypto.createHmac = (...given) => {
  if (given[0] === 'sha1') computed.hmacs++
  return createHmac(...given)
}
module.syncBuiltinESMExports()
process.on('message', () => process.send?.(computed))

const { serve } = await import('../../src/serve.ts')
const { trialConfig } = await import('./trial-config.ts')
await serve(trialConfig(process.env))
