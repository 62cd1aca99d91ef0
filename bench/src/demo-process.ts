import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Listening, listen } from './server-process.ts'

const thisCheckout = fileURLToPath(new URL('../../', import.meta.url))

export interface DemoProcess extends Listening {
  /** Returns how many devices are connected to the server, from `GET /metrics`. */
  sessionCount(): Promise<number>
  /** Calls the backend's API with the key that the server generated. Returns the status. */
  admin(method: string, path: string): Promise<number>
}

export interface DemoProcessOptions {
  /** By default the loopback address. */
  host?: string
  env?: Record<string, string>
  /** A checkout with another build of all packages. */
  checkout?: string
}

/** Starts the server with the demo page, as `npm start` runs it, on any free port. Its data folder is removed when it stops. */
export async function startDemoProcess({
  host = '127.0.0.1',
  env = {},
  checkout = thisCheckout,
}: DemoProcessOptions = {}): Promise<DemoProcess> {
  const program = join(checkout, 'examples/web/dist/server/main.js')
  if (!existsSync(join(checkout, 'examples/web/dist/page/index.html')))
    throw new Error('The demo page is not built: npm run setup && npm run build --prefix examples/web')
  const folder = await mkdtemp(join(tmpdir(), 'kith-demo-'))
  const child = await listen([program, '--port', '0', '--host', host, '--data', folder], {
    KITH_LOG_LEVEL: 'warn',
    ...env,
  })
  return {
    ...child,
    sessionCount: async () => {
      const text = await (await fetch(`${child.url}/metrics`)).text()
      return Number(/^kith_sessions (\S+)$/m.exec(text)?.[1])
    },
    admin: async (method, path) => {
      const key = (await readFile(join(folder, 'admin-key'), 'utf8')).trim()
      return (await fetch(child.url + path, { method, headers: { authorization: `Bearer ${key}` } })).status
    },
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
