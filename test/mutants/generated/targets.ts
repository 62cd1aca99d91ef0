import { readdirSync } from 'node:fs'

/**
 * The code in which a mistake costs most: who sees what, the wire protocol, what the server stores and hands out, what a device
 * stores and sends.
 */
const folders = [
  'packages/shared/src/visibility.ts',
  'packages/shared/src/roster/',
  'packages/shared/src/wire/',
  'packages/server/src/relay/',
  'packages/server/src/relations/',
  'packages/server/src/documents/',
  'packages/server/src/presence/',
  'packages/server/src/store/level/level-store.ts',
  'packages/server/src/store/level/group-commit.ts',
  'packages/server/src/store/level/prepared-changes.ts',
  'packages/server/src/store/level/change-retention.ts',
  'packages/server/src/store/level/paged-reads.ts',
  'packages/server/src/store/level/stage/',
  'packages/server/src/store/nodes/',
  'packages/server/src/store/postgres/',
  'packages/server/src/bus/',
  'packages/server/src/turns.ts',
  'packages/server/src/admission/',
  'packages/server/src/accounts/',
  'packages/server/src/socket/',
  'packages/server/src/tokens.ts',
  'packages/client/src/database/',
  'packages/client/src/documents/',
  'packages/client/src/device/',
  'packages/client/src/import/',
  'packages/client/src/sync/',
]

/** Returns the source files for which mutants are generated. */
export function targetFiles(root: string): string[] {
  const sources = ['shared', 'server', 'client'].flatMap(name => {
    const folder = `packages/${name}/src`
    const files = readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    return files.filter(file => file.endsWith('.ts')).map(file => `${folder}/${file}`)
  })
  const gone = folders.find(folder => !sources.some(file => file.startsWith(folder)))
  if (gone !== undefined) throw new Error(`There is no ${gone} any more: write where its code is now`)
  return sources.filter(file => folders.some(folder => file.startsWith(folder))).sort()
}

/** Test files that cannot notice these mutants, or only after hours: browsers, other processes, bundles, the tests of tests. */
const others =
  /^(web|end-to-end|simulation\/histories|mutants|rules|workspace|client\/(bundle|react)|server\/(commands|full-disk))/

export function testFiles(root: string): string[] {
  const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  return files
    .filter(file => file.endsWith('.test.ts') && !file.includes('node_modules'))
    .map(file => file.slice(0, -'.test.ts'.length))
    .filter(file => !others.test(file))
    .sort()
}
