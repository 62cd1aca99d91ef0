import { defineConfig } from 'vitest/config'
import { mutatedModules } from './mutants/mutated-modules.ts'
import { generatedMutation, mutation, probes } from './mutants/plugin.ts'

// The tests run the packages' sources: 'source' is the condition under which each package exports them.
const conditions = ['source', 'module', 'node', 'development|production']

export default defineConfig({
  plugins: [mutatedModules(), mutation(), generatedMutation(), probes()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['**/*.test.ts'],
    setupFiles: process.env['KITH_PROBES'] ? ['./mutants/generated/probe-setup.ts'] : [],
    environment: 'node',
    // Vitest leaves one processor to itself. Tests also wait for processes of their own, so all processors have work.
    maxWorkers: '100%',
    // Slow machines are no failure; what hangs ends all the same.
    testTimeout: 60_000,
    reporters: ['default', './reporter.ts'],
  },
})
