import { basename } from 'node:path'
import { beforeEach } from 'vitest'

/**
 * Tests that say something of browsers alone, by file: several tabs on one database, a database that is deleted while it is
 * open, and what a test does to Dexie itself.
 */
const ofBrowsers: Record<string, RegExp> = {
  'changed-hands': /every tab/,
  convergence: /tabs/,
  'erased-account': /every tab|a tab that|recreated from memory/,
  live: /tab/,
  presence: /tab|browser|nowhere in the database/,
  react: /another tab|cannot be read/,
  'second-time': /tab/,
  session: /before the server received a block/,
  storage: /asks for strict durability|refuses/,
}

beforeEach(context => {
  const file = basename(context.task.file.filepath, '.test.ts')
  if (ofBrowsers[file]?.test(context.task.name)) context.skip('It is of browsers alone')
})
