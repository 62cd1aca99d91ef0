import { descriptorProblem } from '@kith/server/descriptors'

/** `npm start`: a Kith server like `kith-server serve`, with the same options, that also serves the demo page. */
const problem = descriptorProblem()
if (problem === undefined) {
  const { runDemo } = await import('./demo.ts')
  await runDemo()
} else {
  process.stderr.write(`kith-demo: ${problem}\n`)
  process.exitCode = 1
}
