import { execFile } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, Guarded } from '@kith/local-postgres'

const adminKey = 'the admin key of this example'
const program = createRequire(import.meta.url)
  .resolve('@kith/server')
  .replace(/index\.js$/, 'main.js')
/** The same server with the demo page. */
const pageProgram = fileURLToPath(new URL('../../web/dist/server/main.js', import.meta.url))

/** One of several server processes on one database. */
export interface Node {
  readonly number: number
  readonly port: number
  readonly isRunning: boolean
  /** Ends the process immediately, at any of its steps. */
  kill(): Promise<void>
  /** Starts it again after a kill. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Runs a command of `kith-server` on the database, and returns what it printed. */
export async function run(command: string, database: string): Promise<string> {
  const env = { ...process.env, KITH_DATABASE_URL: database }
  return (await promisify(execFile)(process.execPath, [program, command], { env })).stdout.trim()
}

/** `withPage`: the node serves the demo page too. */
export async function startNode(number: number, database: string, withPage = false): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-node-'))
  const port = await freePort()
  const args = withPage ? [pageProgram, '--port', String(port)] : [program, 'serve', '--port', String(port)]
  const node = new Guarded(
    { program: process.execPath, args, folder },
    {
      KITH_DATABASE_URL: database,
      KITH_DATABASE_REQUIRE_STANDBY: 'true',
      KITH_TOKEN_SECRET: 'the token secret of these nodes',
      KITH_ADMIN_KEY: adminKey,
      KITH_LOG_LEVEL: 'warn',
    },
  )
  const start = async (): Promise<void> => {
    node.start()
    while (!(await isReady(port))) {
      if (!node.isRunning)
        throw new Error(`node ${number} did not start: ${await readFile(join(folder, 'log'), 'utf8')}`)
      await setTimeout(20)
    }
  }
  await start()
  return {
    ...{ number, port, restart: start, kill: () => node.kill(), stop: () => node.remove() },
    get isRunning() {
      return node.isRunning
    },
  }
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
  return response?.ok ?? false
}

/** Returns a token for a user, as the app's backend would request it. Any node issues one. */
export async function tokenFrom(url: string, user: string): Promise<string> {
  const response = await fetch(`${url}/v1/users/${encodeURIComponent(user)}/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}` },
  })
  return ((await response.json()) as { token: string }).token
}
