import { writeFileSync } from 'node:fs'
import { settingsPage } from './lib/settings-page.ts'

// npm run docs: writes the pages that are made from the program itself; a test holds them against it.
writeFileSync(new URL('../docs/settings.md', import.meta.url), settingsPage())
