import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { serverProgram } from '@kith/bench/server-process'
import { freePort, Guarded } from '@kith/local-postgres'
import { type Database, type Place, places } from './database.ts'
import { dialFirst } from './dial.ts'
import { Link } from './link.ts'
import { signalAll } from './processes.ts'

const adminKey = 'the admin key of these nodes'
const patienceMs = 90_000

/** One of several server processes on one database. It reaches each place of a PostgreSQL server by a link. */
export class Node {
  readonly number: number
  readonly port: number
  readonly links: ReadonlyMap<Place, Link>
  readonly #folder: string
  readonly #process: Guarded

  private constructor(number: number, port: number, links: ReadonlyMap<Place, Link>, folder: string) {
    this.number = number
    this.port = port
    this.links = links
    this.#folder = folder
    const hosts = [...links.values()].map(link => `127.0.0.1:${link.port}`).join(',')
    this.#process = new Guarded(
      { program: process.execPath, args: [serverProgram, 'serve', '--port', String(port)], folder },
      {
        KITH_DATABASE_URL: `postgres://kith@${hosts}/postgres`,
        KITH_DATABASE_REQUIRE_STANDBY: 'true',
        KITH_TOKEN_SECRET: 'the token secret of these nodes',
        KITH_ADMIN_KEY: adminKey,
        KITH_LOG_LEVEL: 'warn',
      },
    )
  }

  /** Makes the node without starting it. */
  static async make(number: number, database: Database): Promise<Node> {
    const links = new Map<Place, Link>()
    for (const place of places) {
      const ports = (): number[] => [database.at(place)?.port].filter(port => port !== undefined)
      links.set(place, await Link.open(() => dialFirst(ports())))
    }
    return new Node(number, await freePort(), links, await mkdtemp(join(tmpdir(), 'kith-node-')))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Resolves when the node is ready. Starts it as often as needed, because the database may be unavailable. */
  async start(): Promise<void> {
    const giveUpAt = performance.now() + patienceMs
    while (!(await this.isReady())) {
      if (performance.now() > giveUpAt) throw new Error(`node ${this.number} is not ready: ${await this.log()}`)
      if (!this.#process.isRunning) this.#process.start()
      await pause(50)
    }
  }

  async isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(5_000)
    const response = await fetch(`http://127.0.0.1:${this.port}/readyz`, { signal }).catch(() => undefined)
    return response?.ok ?? false
  }

  admin(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** Ends the process immediately, at any of its steps (SIGKILL). */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Sends a request to stop (SIGTERM), and waits until the process has ended. */
  async end(): Promise<void> {
    if (this.pid !== undefined) signalAll([this.pid], 'SIGTERM')
    while (this.#process.isRunning) await pause(20)
  }

  /** Ends the node permanently. */
  async stop(): Promise<void> {
    await this.#process.remove()
    for (const link of this.links.values()) link.close()
  }

  /** Returns the end of its log. */
  async log(): Promise<string> {
    return (await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')).slice(-3_000)
  }
}
