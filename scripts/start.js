import { ensurePackages } from './lib/packages.js'
import { launch } from './lib/runtime.js'

// npm start: installs the locked packages if need be, then `watchword serve`.
const replaced = await ensurePackages({ forTests: false })
await launch(['serve', ...process.argv.slice(2)], { replaced })
