import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One of Kith's programs, running as a separate process, that prints the address on which it listens. */
export interface Listening {
  readonly url: string
  readonly pid: number
  /** Sends a request to stop (SIGTERM), and waits until the process has ended. */
  stop(): Promise<void>
  /** Ends the process immediately, at any of its steps (SIGKILL). */
  kill(): Promise<void>
}

export interface ServerProcess extends Listening {
  admin(method: string, path: string, body?: unknown): Promise<Response>
  token(user: string): Promise<string>
  /** Returns a number from `GET /metrics`. */
  metric(name: string): Promise<number>
}

export interface ServerProcessOptions {
  /** By default a new folder, which is removed when the server stops. */
  folder?: string
  /** A PostgreSQL database, instead of a folder. */
  database?: string
  /** By default any free port. */
  port?: number
  env?: Record<string, string>
  /** Arguments for Node itself, for example `--expose-gc`. */
  nodeArguments?: readonly string[]
  /** The maximum number of files and sockets that are open at a time (`ulimit -n`). */
  openFiles?: number
  /** The `main.js` of another version. */
  program?: string
}

const adminKey = 'the admin key of this server'
/** The secret of nodes that share a database. */
const tokenSecret = 'the token secret of these servers'
/** The server to start: the one of this checkout, unless `KITH_BENCH_SERVER` names another `main.js` for a comparison. */
export const serverProgram: string =
  process.env['KITH_BENCH_SERVER'] ??
  createRequire(import.meta.url)
    .resolve('@kith/server')
    .replace(/(src|dist).index\.[jt]s$/, 'dist/main.js')

/** Starts the server command as a separate process: on real LevelDB, or as one of several nodes on a PostgreSQL database. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const { port = 0, env = {}, nodeArguments = [], openFiles, database, program = serverProgram } = options
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'kith-server-')))
  const state = database === undefined ? ['--data', folder] : []
  const args = [...nodeArguments, program, 'serve', '--port', String(port), ...state]
  const shared = database === undefined ? {} : { KITH_DATABASE_URL: database, KITH_TOKEN_SECRET: tokenSecret }
  const child = await listen(args, { KITH_ADMIN_KEY: adminKey, KITH_LOG_LEVEL: 'warn', ...shared, ...env }, openFiles)
  // A server with few descriptors closes connections that are idle. Then a request on such a connection would fail.
  const { request: admin, token } = adminOf(child.url, { keepsConnections: openFiles === undefined })
  return {
    ...child,
    admin,
    token,
    metric: async name => {
      const text = await (await admin('GET', '/metrics')).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
    stop: async () => {
      await child.stop()
      if (options.folder === undefined) await rm(folder, { recursive: true })
    },
  }
}

/** Returns the backend's functions for a server that was started here. Without `keepsConnections`, each request has its own. */
export function adminOf(
  url: string,
  { keepsConnections = true }: { keepsConnections?: boolean } = {},
): {
  request(method: string, path: string, body?: unknown): Promise<Response>
  token(user: string): Promise<string>
} {
  const request = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(keepsConnections ? {} : { connection: 'close' }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    request,
    token: async user => {
      const response = await request('POST', `/v1/users/${encodeURIComponent(user)}/tokens`)
      return ((await response.json()) as { token: string }).token
    },
  }
}

/** Runs a Node program until it prints `listening on URL`, with at most `openFiles` open at a time. */
export async function listen(
  args: readonly string[],
  env: Record<string, string> = {},
  openFiles?: number,
): Promise<Listening> {
  const limited = ['-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, process.execPath, ...args]
  const [program, of] = openFiles === undefined ? [process.execPath, args] : ['sh', limited]
  const child = spawn(program, of, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readUrl(child)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return { url, pid: child.pid as number, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

async function readUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) {
    const match = /^listening on (\S+)$/.exec(line)
    if (match) return match[1] as string
  }
  throw new Error('the program ended before it listened')
}
