import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { findPrograms } from '@kith/local-postgres'
import { onTestFinished, test as skipped } from 'vitest'
import { test } from './chromium.ts'

const program = fileURLToPath(new URL('../../../examples/run.js', import.meta.url))

/** Without PostgreSQL, the test is skipped; if `CI` is set, it fails. */
const canRun = (await findPrograms()) !== undefined || process.env['CI'] !== undefined

export const testOfNodes: typeof test | typeof skipped.skip = canRun ? test : skipped.skip

/** Runs `npm run example -- cluster page`, and returns the address that it prints. */
export async function startExample(): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [program, 'cluster', 'page'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await exited
  })
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      const [address] = /http:\/\/127\.0\.0\.1:\d+\/\?nodes/.exec(line) ?? []
      if (address !== undefined) return address
    }
  }
  throw new Error('the example ended before it printed an address')
}
