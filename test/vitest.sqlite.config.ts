import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import shared from './vitest.config.ts'

/** Tests of what IndexedDB and tabs do, of simulated processes on Dexie, and of what has no storage. */
const others = [
  ...[
    'bare-platform',
    'bundle',
    'changes-codec',
    'close-action',
    'made-again',
    'newer-database',
    'pieces',
    'pulse',
    'receiver',
    'remade',
  ],
  ...['replaced', 'said-again', 'set-clock', 'storage-contract', 'trouble', 'watching'],
  ...['fence', 'loss-histories', 'stale-tab', 'storage-loss', 'storage-refused', 'tabs', 'tabs-full-disk', 'tabs-loss'],
  ...['promises', 'standstill'],
]

/** The tests of the client once more, with SQLite in the place of IndexedDB. */
export default defineConfig({
  ...shared,
  plugins: [...(shared.plugins ?? []), sqliteInPlaceOfDexie()],
  test: {
    ...shared.test,
    env: { KITH_TEST_STORAGE: 'sqlite' },
    include: ['client/*.test.ts'],
    exclude: others.map(name => `client/${name}.test.ts`),
    setupFiles: ['./support/sqlite-run.ts'],
  },
})

function sqliteInPlaceOfDexie(): Plugin {
  return {
    name: 'kith-sqlite-in-place-of-dexie',
    enforce: 'pre',
    resolveId: source =>
      source.endsWith('/dexie-storage.ts')
        ? fileURLToPath(new URL('./support/sqlite-in-place-of-dexie.ts', import.meta.url))
        : undefined,
  }
}
