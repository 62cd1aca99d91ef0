import { basename } from 'node:path'
import { beforeEach } from 'vitest'

/**
 * Tests that say something of browsers alone, or of Dexie, by file: several tabs on one database, a database that is deleted
 * while it is open, and what a test does to Dexie itself.
 */
const ofDexie: Record<string, RegExp> = {
  'changed-hands': /every tab/,
  convergence: /tabs/,
  'erased-account': /every tab|a tab that|recreated from memory/,
  // It counts connections while a clock moves by the turns that fake-indexeddb takes: on a faster storage there are more.
  'hostile-server': /closes because of whatever is sent/,
  live: /\btabs?\b|the disk failed|cannot be read/,
  presence: /\btabs\b|nowhere in the database/,
  react: /another tab|cannot be read/,
  'second-time': /\btabs?\b/,
  session: /before the server received a block/,
  storage: /asks for strict durability|refuses/,
  'view-as': /every tab/,
}

beforeEach(context => {
  const file = basename(context.task.file.filepath, '.test.ts')
  if (ofDexie[file]?.test(context.task.name)) context.skip('It is of browsers, or of Dexie, alone')
})
