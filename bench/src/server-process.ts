import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A program of ours that runs as a process of its own and says where it listens. */
export interface Listening {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

export interface ServerProcess extends Listening {
  admin(method: string, path: string, body?: unknown): Promise<Response>
  token(user: string): Promise<string>
  /** A number that `GET /metrics` tells. */
  metric(name: string): Promise<number>
}

const adminKey = 'the admin key of the benchmarks'
const main = createRequire(import.meta.url)
  .resolve('@kith/server')
  .replace(/index\.js$/, 'main.js')

/** A server on a folder of its own, which goes with it. */
export async function startServerProcess(env: Record<string, string> = {}): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'kith-bench-'))
  const args = [main, 'serve', '--port', '0', '--data', folder]
  const child = await listen(args, { KITH_ADMIN_KEY: adminKey, KITH_LOG_LEVEL: 'warn', ...env })
  const admin = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(child.url + path, {
      method,
      headers: { authorization: `Bearer ${adminKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    ...child,
    admin,
    token: async user => {
      const response = await admin('POST', `/v1/users/${encodeURIComponent(user)}/tokens`)
      return ((await response.json()) as { token: string }).token
    },
    metric: async name => {
      const text = await (await admin('GET', '/metrics')).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
    stop: async () => {
      await child.stop()
      await rm(folder, { recursive: true })
    },
  }
}

/** Runs a Node program until it prints `listening on URL`. */
export async function listen(args: readonly string[], env: Record<string, string> = {}): Promise<Listening> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readUrl(child)
  return {
    url,
    pid: child.pid as number,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function readUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) {
    const match = /^listening on (\S+)$/.exec(line)
    if (match) return match[1] as string
  }
  throw new Error('the program ended before it listened')
}
