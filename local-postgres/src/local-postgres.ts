import { execFile } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { copyData, give } from './copy-data.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { freePort } from './free-port.ts'
import { Guarded } from './guarded.ts'
import { ordinaryUser } from './ordinary-user.ts'
import { findPrograms, howToInstall } from './programs.ts'

/** Settings with their names in postgresql.conf. */
export type Settings = Readonly<Record<string, string | number>>

const attempts = 1_200
const intervalMs = 50

/** A PostgreSQL server on the loopback interface, in a temporary folder. It ends when this process ends for any reason. */
export class LocalPostgres {
  readonly port: number
  /** The URL of its database, for the user `kith`, who has all privileges. */
  readonly url: string
  readonly #folder: string
  readonly #settings: Settings
  readonly #process: Guarded

  /** Does not start the server. `programs`: the folder of `postgres`; `folder` contains a folder `data`. */
  constructor(programs: string, folder: string, port: number, settings: Settings) {
    this.port = port
    this.url = `postgres://kith@127.0.0.1:${port}/postgres`
    this.#folder = folder
    this.#settings = settings
    const all = { ...defaults, port, ...settings }
    const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const args = ['-D', join(folder, 'data'), ...options]
    this.#process = new Guarded({ program: join(programs, 'postgres'), args, folder, user: ordinaryUser() })
  }

  /** The id of its first process. The other processes are children of this one. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Resolves when the server answers. */
  async start(): Promise<void> {
    this.#process.start()
    await until(async () => {
      if (!this.#process.isRunning) throw new Error(`PostgreSQL did not start: ${await this.#log()}`)
      return this.query('select').then(
        () => true,
        () => false,
      )
    }, `PostgreSQL to answer on port ${this.port}`)
  }

  /** Runs one statement, or several without parameters, on a connection of its own. */
  async query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    return this.#connected(async client => (await client.query(text, values)).rows)
  }

  /** Ends all its processes immediately (SIGKILL), as a power cut does. It can be started again. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Ends the server, and removes its folder. */
  async stop(): Promise<void> {
    await this.#process.remove()
    await removeFolder(this.#folder)
  }

  /** Clones this server while it runs, and starts the clone as an asynchronous standby. */
  async addStandby(name: string): Promise<LocalPostgres> {
    const settings = { ...this.#settings, cluster_name: name }
    const standby = await make(settings, folder => this.#backUp(join(folder, 'data')))
    await standby.#begin(this)
    return standby
  }

  /** From now on, a commit is answered when any one of these standbys has it. Without names, it is answered immediately. */
  async confirmBy(...names: string[]): Promise<void> {
    const setting = names.length ? `ANY 1 (${names.map(name => `"${name}"`).join(', ')})` : ''
    await this.#set('synchronous_standby_names', setting)
    const count = `select count(*)::int as count from pg_stat_replication where sync_state = 'quorum'`
    await until(async () => (await this.query(count))[0]?.['count'] === names.length, `${names} to confirm commits`)
  }

  /** Makes a standby the primary. */
  async promote(): Promise<void> {
    await this.query('select pg_promote(true, 60)')
  }

  /** Makes a standby follow another primary, which has all the data of the standby. */
  async follow(primary: LocalPostgres): Promise<void> {
    await this.#set('primary_conninfo', primary.#conninfo(await this.#name()))
    await primary.#hasStandby(await this.#name())
  }

  /** Makes a standby keep its data, and receive no more. */
  async followNobody(): Promise<void> {
    await this.#set('primary_conninfo', '')
    const receiving = 'select from pg_stat_wal_receiver'
    await until(async () => (await this.query(receiving)).length === 0, `${await this.#name()} to stop receiving`)
  }

  async #begin(primary: LocalPostgres): Promise<void> {
    const name = String(this.#settings['cluster_name'])
    const data = join(this.#folder, 'data')
    const own = [`primary_conninfo = '${primary.#conninfo(name)}'`, "synchronous_standby_names = ''", '']
    await appendFile(join(data, 'postgresql.auto.conf'), own.join('\n'))
    await writeFile(join(data, 'standby.signal'), '')
    await give(join(data, 'standby.signal'))
    await this.start()
    await primary.#hasStandby(name)
  }

  #conninfo(standby: string): string {
    return `host=127.0.0.1 port=${this.port} user=kith application_name=${standby}`
  }

  async #hasStandby(name: string): Promise<void> {
    const found = `select from pg_stat_replication where application_name = $1 and state = 'streaming'`
    await until(async () => (await this.query(found, [name])).length > 0, `the standby ${name} to follow`)
  }

  async #name(): Promise<string> {
    return String((await this.query('show cluster_name'))[0]?.['cluster_name'])
  }

  async #set(name: string, value: string): Promise<void> {
    // Neither statement takes part in a transaction or waits for a standby.
    await this.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`)
    await this.query('select pg_reload_conf()')
  }

  async #backUp(to: string): Promise<void> {
    const label = await this.#connected(async client => {
      const { rows } = await client.query("select current_setting('server_version_num')::int >= 150000 as new")
      const isNew = rows[0].new as boolean
      await client.query(isNew ? "select pg_backup_start('kith', true)" : "select pg_start_backup('kith', true, false)")
      await copyData(join(this.#folder, 'data'), to)
      const end = isNew ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)'
      return (await client.query(`select labelfile from ${end}`)).rows[0].labelfile as string
    })
    await writeFile(join(to, 'backup_label'), label)
    await give(join(to, 'backup_label'))
  }

  async #connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async #log(): Promise<string> {
    return (await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')).slice(-2_000)
  }
}

const defaults: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  // In its folder, so that nothing remains after a kill.
  dynamic_shared_memory_type: 'mmap',
  // A standby that is being cloned receives the data that is written meanwhile.
  wal_keep_size: '256MB',
  // A clone, or a server that was killed, first syncs its folder: with one call if the system supports it, instead of one call
  // per file.
  ...(process.platform === 'linux' && { recovery_init_sync_method: 'syncfs' }),
}

/** Makes a database in a temporary folder, and starts its server. Rejects if PostgreSQL does not run. */
export async function startLocalPostgres(settings: Settings = {}): Promise<LocalPostgres> {
  const server = await make(settings, async (folder, programs) => {
    const options = ['-U', 'kith', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    const run = { cwd: folder, ...ordinaryUser() }
    await promisify(execFile)(join(programs, 'initdb'), ['-D', join(folder, 'data'), ...options], run)
  })
  try {
    await server.start()
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Makes a server that does not run yet. `fill` creates the folder `data` in its folder. */
async function make(
  settings: Settings,
  fill: (folder: string, programs: string) => Promise<void>,
): Promise<LocalPostgres> {
  const programs = await findPrograms()
  if (!programs) throw new Error(howToInstall)
  const folder = await makeFolder()
  try {
    const placed = await programs.placeIn(folder)
    await fill(folder, placed)
    return new LocalPostgres(placed, folder, await freePort(), settings)
  } catch (error) {
    await removeFolder(folder)
    throw error
  }
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isSo()) return
    await setTimeout(intervalMs)
  }
  throw new Error(`waited in vain for ${what}`)
}
