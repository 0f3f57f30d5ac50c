import { readFileSync, writeFileSync } from 'node:fs'
import { reliabilityPage } from './lib/reliability-page.ts'
import { settingsPage } from './lib/settings-page.ts'

// npm run docs: writes the pages that are made from the program itself; a test holds them against it.
const page = (name: string) => new URL(`../docs/${name}.md`, import.meta.url)
writeFileSync(page('settings'), settingsPage())
writeFileSync(page('reliability'), reliabilityPage(readFileSync(page('reliability'), 'utf8')))
