import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'

/** A PostgreSQL server of a test's own, on the loopback interface. */
export interface PostgresServer {
  readonly port: number
  /** A new, empty place for one store: a schema of its own. */
  newUrl(): Promise<string>
  /** Ends all processes of the server at once, as a crash does. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** The folder of PostgreSQL's programs, or `undefined` where it is not installed. */
export async function findPostgres(): Promise<string | undefined> {
  const candidates = (process.env['PATH'] ?? '').split(delimiter)
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  candidates.push(...versions.map(version => join('/usr/lib/postgresql', version, 'bin')))
  for (const folder of candidates) {
    const found = await realpath(join(folder, 'initdb')).catch(() => undefined)
    if (found) return dirname(found)
  }
  return undefined
}

/** PostgreSQL does not run as root: then it runs as the user that its package made, or as nobody. */
function ordinaryUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (option: string): number => Number(execFileSync('id', [option, name], { stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // There is no such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Makes a cluster in a temporary folder, and starts it. `settings` as in postgresql.conf. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const programs = await findPostgres()
  if (!programs) throw new Error('PostgreSQL is not installed: install the package postgresql')
  const folder = await mkdtemp(join(tmpdir(), 'kith-postgres-'))
  const user = ordinaryUser()
  if (user) await chown(folder, user.uid, user.gid)
  const options = { cwd: folder, stdio: 'ignore', ...user } as const
  const data = join(folder, 'data')
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'kith', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  )
  const port = await freePort()
  const all = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 100, ...settings }
  const args = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const url = `postgres://kith@127.0.0.1:${port}/postgres`
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  // Also when the tests end before they have the server.
  const leave = (): void => void child?.kill('SIGQUIT')
  process.once('exit', leave)

  async function start(): Promise<void> {
    child = spawn(join(programs as string, 'postgres'), args, options)
    ended = new Promise(resolve => child?.once('exit', () => resolve()))
    for (let attempt = 0; ; attempt++) {
      try {
        return await run('select')
      } catch (error) {
        if (attempt === 200 || child.exitCode !== null) throw error
        await setTimeout(50)
      }
    }
  }

  async function run(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    child?.kill(signal)
    await ended
  }

  await start()
  return {
    port,
    async newUrl() {
      const schema = `s${randomBytes(6).toString('hex')}`
      await run(`create schema ${schema}`)
      return `${url}?options=${encodeURIComponent(`-csearch_path=${schema}`)}`
    },
    start,
    // SIGQUIT: the postmaster ends its children at once, without a checkpoint.
    kill: () => end('SIGQUIT'),
    async stop() {
      await end('SIGINT')
      process.off('exit', leave)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
