import { after } from 'node:test'
import { openDatabase } from '../../src/store/open.ts'
import { storeContract } from '../contract/store.ts'
import { startPostgres } from '../support/postgres.ts'

const cluster = startPostgres()
after(async () => (await cluster).stop())

const made = new Map<string, Promise<string>>()

storeContract('PostgreSQL', async (name) => {
  const { createDatabase } = await cluster
  const address = made.get(name) ?? createDatabase(name)
  made.set(name, address)
  return openDatabase({ kind: 'postgres', url: await address })
})
