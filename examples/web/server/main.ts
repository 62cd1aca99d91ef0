import { descriptorProblem } from '@kith/server/descriptors'

/** `npm start`: a Kith server, as `kith-server serve` runs it and with the same options, that shows the demo page as well. */
const problem = descriptorProblem()
if (problem === undefined) {
  const { runDemo } = await import('./demo.ts')
  await runDemo()
} else {
  process.stderr.write(`kith-demo: ${problem}\n`)
  process.exitCode = 1
}
