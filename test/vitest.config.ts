import { defineConfig } from 'vitest/config'

// The tests run the packages' sources: 'source' is the condition under which each package exports them.
const conditions = ['source', 'module', 'node', 'development|production']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['**/*.test.ts'],
    environment: 'node',
    reporters: ['default', './reporter.ts'],
  },
})
