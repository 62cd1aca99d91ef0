#!/usr/bin/env node
import { descriptorProblem } from './descriptors.ts'

const problem = descriptorProblem()
if (problem === undefined) {
  const { runCommandLine } = await import('./command-line.ts')
  await runCommandLine()
} else {
  process.stderr.write(`kith-server: ${problem}\n`)
  process.exitCode = 1
}
