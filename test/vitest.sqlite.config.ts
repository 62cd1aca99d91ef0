import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig, type Plugin } from 'vitest/config'
import shared from './vitest.config.ts'

/** The tests of the client once more, with SQLite for IndexedDB. */
export default mergeConfig(
  { ...shared, test: { ...shared.test, include: [] } },
  defineConfig({
    plugins: [sqliteInPlaceOfDexie()],
    test: {
      env: { KITH_TEST_STORAGE: 'sqlite' },
      include: ['client/*.test.ts'],
      setupFiles: ['./support/sqlite-run.ts'],
    },
  }),
)

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
