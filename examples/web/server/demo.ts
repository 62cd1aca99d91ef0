import { runProgram, runServe } from '@kith/server'
import { pageRoutes } from './page.ts'

/** Runs the server with the demo page until it is stopped. */
export function runDemo(): Promise<void> {
  return runProgram('kith-demo', () => runServe(process.argv.slice(2), process.env, pageRoutes))
}
