import { launch } from '../scripts/lib/runtime.js'

// Phusion Passenger requires this file in a process that it has prepared, so no other process may take over, and
// nothing is awaited here: a module that awaits cannot be required. Its hold on standard input keeps a process alive.
launch(['serve'], { stays: true }).finally(() => process.exit())
