import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeSettings } from '../../src/config/describe.ts'
import { loadConfig } from '../../src/config/load.ts'
import { showSettings } from '../../src/config/show.ts'
import { printSettings, settingsFile } from './settings-file.ts'

test('every setting has a variable of its own, a type, a default and a sentence of help', () => {
  const descriptions = describeSettings()
  assert.equal(new Set(descriptions.map(({ name }) => name)).size, descriptions.length)
  for (const { name, environment, type, default: fallback, help } of descriptions) {
    const variable = `WATCHWORD_${name.toUpperCase().replace('.', '_')}`
    assert.equal(environment, name.startsWith('policies.') ? undefined : variable)
    assert.notEqual(type, '', name)
    assert.notEqual(fallback, '', name)
    assert.match(help, /^[A-Z].*\.$/, name)
  }
})

test('the defaults that are described are the defaults in force', () => {
  const shown = new Map(
    showSettings(loadConfig({ cwd: '/', env: {} })).map(({ name, value }) => [name, value]),
  )
  for (const { name, default: fallback } of describeSettings()) {
    if (fallback.startsWith('(') || name.startsWith('policies.')) continue
    assert.equal(shown.get(name)?.replace(/^\/data$/, 'data'), fallback.replaceAll('", "', '","'), name)
  }
})

test('the settings in force can be written to a file and read back', (t) => {
  const env = {
    WATCHWORD_LISTEN: 'unix:/run/w',
    WATCHWORD_ORIGIN: 'https://auth.example.com',
    WATCHWORD_TRUSTED_PROXIES: '192.0.2.1,fc00::/7',
    WATCHWORD_SOCKET_MODE: '600',
    WATCHWORD_PASSWORD_BREACHED_HASHES: '/hashes',
    WATCHWORD_PASSWORD_BARRED_WORDS: 'acme,"quoted"',
  }
  const config = loadConfig({ cwd: '/', env })
  const { path: _, ...sources } = settingsFile(t, printSettings(config))
  assert.deepEqual(loadConfig(sources), config)
})

test('the settings in force show no password of the database', () => {
  const config = loadConfig({ cwd: '/', env: { WATCHWORD_DATABASE: 'postgres://u:hush@h/d' } })
  const shown = showSettings(config).find(({ name }) => name === 'database')
  assert.equal(shown?.value, 'postgres://u:***@h/d')
})
