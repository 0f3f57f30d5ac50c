import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { diagnose, place, type Written } from './site.ts'

const idsOf = (written: Written) => diagnose(written).map(({ id }) => id)

// Apache does not start with these: what it says of them does not tell what to do.
describe('the doctor says what to do where Apache refuses its configuration', () => {
  it('a module is missing', () => {
    const findings = diagnose({ wiki: place('/pages'), without: ['authnz_fcgi', 'headers'] })
    assert.deepEqual(
      findings.map(({ id, instead }) => [id, instead]),
      [['module-missing', 'Run: a2enmod authnz_fcgi headers']],
    )
  })

  it('the file with the secret is missing', () => {
    assert.deepEqual(idsOf({ wiki: place('/pages'), without: ['watchword/secret.conf'] }), ['secret-missing'])
  })

  it('another file is missing', () => {
    assert.deepEqual(idsOf({ wiki: `${place('/pages')}\nInclude gone.conf` }), ['not-read'])
  })

  it('no file of that policy was written', () => {
    assert.deepEqual(idsOf({ wiki: place('/pages', '', 'group-gone') }), ['unknown-policy'])
  })
})
