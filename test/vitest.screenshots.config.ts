import { defineConfig } from 'vitest/config'
import shared from './vitest.config.ts'

/** `npm run screenshots`: pictures of every screen of the demo page, for people to look at. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ['web/screens/*.screens.ts'], testTimeout: 300_000 },
})
