import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = new URL('../../examples/two-devices/dist/main.js', import.meta.url).pathname

test('[R2][R4][V1][F1][F3] the example of two devices tells its story', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  expect(stdout).toContain('phone    Bob: levels [1, 5]; Carol: levels [1, 5]; Mallory: levels [1], blocked')
  expect(stdout).toContain('laptop   Bob: levels [1, 5]; Carol: levels [1, 5]; Mallory: levels [1], blocked')
  expect(stdout).toMatch(/After, what each sees of Alice:\n {4}Bob .*"address":"12 Analytical Row".*\n/)
  expect(stdout).toContain('Mallory  nothing')
  expect(stdout).toContain('Bob: address is now "5 Difference Lane"')
  expect(stdout).toContain('+16465550153 has joined')
})
