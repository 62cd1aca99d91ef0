import { storeContract } from '@kith/server/testing'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { migrate, openPostgresStore } from '../support/server-internals.ts'

// A database is created for the file, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
describe.skipIf(!isInstalled && !process.env['CI'])('a store on PostgreSQL', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
  })

  afterAll(() => server?.stop())

  describe('the contract, by a store on PostgreSQL', () => {
    storeContract({ describe, test }, async options => {
      const url = await server.newUrl()
      await migrate(url)
      return openPostgresStore(url, options)
    })
  })
})
