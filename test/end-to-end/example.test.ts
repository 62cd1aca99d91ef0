import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { findPostgres } from '../support/postgres.ts'

const program = new URL('../../examples/run.js', import.meta.url).pathname

async function example(...args: string[]): Promise<{ stdout: string; left: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-example-'))
  // PostgreSQL may run as another user.
  await chmod(folder, 0o755)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const env = { ...process.env, TMPDIR: folder }
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env })
  return { stdout, left: await readdir(folder) }
}

test('[R2][R4][V1][F1][F3] the example of two devices tells its story', { timeout: 60_000 }, async () => {
  const { stdout } = await example()
  expect(stdout).toContain('phone    Bob: levels [1, 5]; Carol: levels [1, 5]; Mallory: levels [1], blocked')
  expect(stdout).toContain('laptop   Bob: levels [1, 5]; Carol: levels [1, 5]; Mallory: levels [1], blocked')
  expect(stdout).toMatch(/After, what each sees of Alice:\n {4}Bob .*"address":"12 Analytical Row".*\n/)
  expect(stdout).toContain('Mallory  nothing')
  expect(stdout).toContain('Bob: address is now "5 Difference Lane"')
  expect(stdout).toContain('+16465550153 has joined')
})

const isInstalled = (await findPostgres()) !== undefined

// In CI, a missing PostgreSQL is a failure.
test.skipIf(!isInstalled && !process.env['CI'])(
  '[V4][F1][D1] the example of a cluster tells what devices on three nodes see while a node and the primary are killed, and leaves nothing',
  { timeout: 180_000 },
  async () => {
    const { stdout, left } = await example('cluster')
    expect(stdout).toContain("Mallory's device has deleted what it had of Alice.")
    expect(stdout).toContain("Bob's device is on node 3, and has everything that it may see.")
    expect(stdout).toContain('The status is on the disk of the new primary.')
    expect(stdout).toContain('Alice\'s device has 0 unsent changes, and shows of Bob {"name":"Bob"}.')
    expect(stdout).toContain('Bob\'s device shows of Alice {"name":"Alice","status":"in the tunnel"}.')
    expect(stdout).toContain("Mallory's device shows of Alice nothing.")
    expect(stdout).toContain('finds no difference')
    // The folder of each process is deleted when the process has ended.
    expect(left).toEqual([])
  },
)
