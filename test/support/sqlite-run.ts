import { basename } from 'node:path'
import { beforeEach } from 'vitest'

/**
 * Tests, by file, that apply to browsers or Dexie only: several tabs on one database, deletion of an open database, and faults
 * that a test causes in Dexie itself.
 */
const ofDexie: Record<string, RegExp> = {
  'automatic-follow': /messages of a user whose/,
  'changed-hands': /every tab/,
  convergence: /tabs/,
  'erased-account': /every tab|a tab that|recreated from memory/,
  // This test counts connections while the clock advances with each turn of fake-indexeddb. A faster storage makes more
  // connections.
  'hostile-server': /closes because of whatever is sent/,
  live: /\btabs?\b|the disk failed|cannot be read/,
  opening: /any tab of the device/,
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
