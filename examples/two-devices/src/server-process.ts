import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

/** A server in the form in which a user runs it: a separate process on a folder. */
export interface ServerProcess {
  readonly url: string
  /** Returns a token for a user, as the app's backend would request it. */
  token(user: string): Promise<string>
  stop(): Promise<void>
}

const adminKey = 'the admin key of this example'
const main = createRequire(import.meta.url)
  .resolve('@kith/server')
  .replace(/index\.js$/, 'main.js')

export async function startServerProcess(folder: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--data', folder], {
    env: { ...process.env, KITH_ADMIN_KEY: adminKey, KITH_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await readUrl(child)
  return {
    url,
    token: async user => {
      const response = await fetch(`${url}/v1/users/${encodeURIComponent(user)}/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminKey}` },
      })
      const { token } = (await response.json()) as { token: string }
      return token
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function readUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })) {
    const match = /^listening on (http:\S+)$/.exec(line)
    if (match) return match[1] as string
  }
  throw new Error('the server ended before it listened')
}
