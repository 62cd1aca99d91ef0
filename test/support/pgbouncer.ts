import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort, ordinaryUser } from '@kith/local-postgres'
import { findProgram } from './find-program.ts'
import { isListening } from './nats.ts'

/** A connection pooler for one test, on the loopback interface. It pools transactions. */
export interface PgBouncer {
  /** The URL of the database through the pooler. */
  readonly url: string
  stop(): Promise<void>
}

/** Returns the program `pgbouncer`, or `undefined` if it is not installed. */
export function findPgBouncer(): Promise<string | undefined> {
  return findProgram('pgbouncer')
}

/** `database`: the URL of the server behind the pooler. */
export async function startPgBouncer(database: string): Promise<PgBouncer> {
  const program = await findPgBouncer()
  if (!program) throw new Error('PgBouncer is not installed: install the package pgbouncer')
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'kith-pgbouncer-'))
  const settings = `[databases]
* = host=127.0.0.1 port=${new URL(database).port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users')}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
server_login_retry = 1
`
  await writeFile(join(folder, 'settings'), settings)
  await writeFile(join(folder, 'users'), '"kith" ""\n')
  // PgBouncer refuses to run as root.
  await chmod(folder, 0o755)
  const child = spawn(program, [join(folder, 'settings')], { stdio: 'ignore', ...ordinaryUser() })
  // Also if the tests end before they have the pooler.
  const leave = (): void => void child.kill('SIGKILL')
  process.once('exit', leave)
  for (let attempt = 0; !(await isListening(port)); attempt++) {
    if (attempt === 200 || child.exitCode !== null) throw new Error('PgBouncer does not listen')
    await setTimeout(50)
  }
  return {
    url: database.replace(/@[^/]+/, `@127.0.0.1:${port}`),
    async stop() {
      const ended = child.exitCode === null ? once(child, 'exit') : undefined
      leave()
      await ended
      process.off('exit', leave)
      await rm(folder, { recursive: true })
    },
  }
}
