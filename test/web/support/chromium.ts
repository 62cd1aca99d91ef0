import type { Browser } from 'playwright-core'
import { afterAll, test as any } from 'vitest'
import { findChromium, launchChromium } from '../../../bench/src/chromium.ts'

const canRun = findChromium() !== undefined || process.env['CI'] !== undefined
if (!canRun) process.stdout.write('no Chromium in the PATH: the tests of the demo page are skipped\n')

/** A test in a real browser. On a machine without one, it is skipped; if `CI` is set, it fails. */
export const test: ReturnType<typeof any.skipIf> = any.skipIf(!canRun)

let launched: Promise<Browser> | undefined

/** Returns one browser for all tests of a file. They share no data, because each has a context of its own. */
export function browser(): Promise<Browser> {
  launched ??= launchChromium()
  return launched
}

afterAll(async () => {
  await (await launched)?.close()
})
