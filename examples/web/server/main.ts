import { runProgram, runServe } from '@kith/server'
import { pageRoutes } from './page.ts'

/** `npm start`: a Kith server, as `kith-server serve` runs it and with the same options, that shows the demo page as well. */
await runProgram('kith-demo', () => runServe(process.argv.slice(2), process.env, pageRoutes))
