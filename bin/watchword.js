#!/usr/bin/env node
import { launch } from '../scripts/lib/runtime.js'

await launch(process.argv.slice(2))
